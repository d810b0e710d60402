"""Copies the output of a function's process to stderr, each line with the function's name."""

from __future__ import annotations

import asyncio
import logging
import sys

from fncast.foreign_text import clean

log = logging.getLogger(__name__)

# A longer line is split.
MAX_LINE = 2000
_READ_BYTES = 65536


async def show_output(name: str, stream: asyncio.StreamReader) -> None:
    """Show lines until the process closes `stream`. Raises only CancelledError: a full pipe would block the process."""
    rest = b""
    while data := await stream.read(_READ_BYTES):
        *lines, rest = (rest + data).split(b"\n")
        while len(rest) >= MAX_LINE:
            lines.append(rest[:MAX_LINE])
            rest = rest[MAX_LINE:]
        _show(name, lines)
    _show(name, [rest] if rest else [])


def _show(name: str, lines: list[bytes]) -> None:
    text = "".join(f"{name}: {clean(line.decode('utf-8', 'replace').rstrip(), MAX_LINE)}\n" for line in lines)
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):  # stderr cannot be written or is closed
        log.debug("the output of function %s cannot be written to stderr", name)
