"""Copies the output of a function's process to stderr, each line with the function's name, at a bounded rate."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable

from fncast.foreign_text import clean

log = logging.getLogger(__name__)

# A longer line is split.
MAX_LINE_BYTES = 2000
# A process may write this much in SPAN_S. The rest is counted and dropped.
MAX_BYTES = 256 * 1024
MAX_LINES = 2000
SPAN_S = 10.0
RETRY_S = 1.0  # after an error
_READ_BYTES = 65536


class OutputLimit:
    """Decides which lines of one process are shown. Reads no clock."""

    def __init__(self) -> None:
        self._began_s = float("-inf")
        self._bytes = self._lines = 0
        self._dropped_lines = self._dropped_bytes = 0

    @property
    def report_due_s(self) -> float | None:
        """When `report` has something to say; None while nothing is dropped."""
        return self._began_s + SPAN_S if self._dropped_lines else None

    def take(self, lines: list[bytes], now_s: float) -> list[bytes]:
        """The lines to show."""
        if now_s - self._began_s >= SPAN_S:
            self._began_s = now_s
            self._bytes = self._lines = 0
        shown = []
        for line in lines:
            if self._bytes + len(line) <= MAX_BYTES and self._lines < MAX_LINES and not self._dropped_lines:
                self._bytes += len(line)
                self._lines += 1
                shown.append(line)
            else:
                self._dropped_lines += 1
                self._dropped_bytes += len(line)
        return shown

    def report(self) -> str:
        """How much was dropped since the last report; empty for nothing."""
        if not self._dropped_lines:
            return ""
        text = (
            f"{self._dropped_lines} lines ({self._dropped_bytes} bytes) of output were dropped: at most {MAX_LINES}"
            f" lines and {MAX_BYTES} bytes are shown in {SPAN_S:g} s"
        )
        self._dropped_lines = self._dropped_bytes = 0
        return text


async def show_output(
    name: str, stream: asyncio.StreamReader, clock: Callable[[], float] | None = None
) -> None:
    """Show lines until the process closes `stream`. Raises only CancelledError: a full pipe would block the process.

    clock: in seconds; the event loop's by default.
    """
    clock = clock or asyncio.get_running_loop().time
    while True:
        try:
            await _show_until_end(name, stream, clock)
            return
        except Exception:
            log.exception("the output of function %s could not be shown; trying again", name)
            await asyncio.sleep(RETRY_S)


async def _show_until_end(name: str, stream: asyncio.StreamReader, clock: Callable[[], float]) -> None:
    limit = OutputLimit()
    rest = b""
    while True:
        data = await _read(stream, limit, clock)
        if limit.report_due_s is not None and clock() >= limit.report_due_s:
            _show(name, [limit.report().encode()])
        if data is None:
            continue
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        parts = [part for line in lines for part in _split(line)]
        *begun, rest = _split(rest)
        _show(name, limit.take([*parts, *begun], clock()))
    last = limit.take([rest] if rest else [], clock())
    dropped = limit.report()
    _show(name, [*last, *([dropped.encode()] if dropped else [])])


def _split(line: bytes) -> list[bytes]:
    """Split a line into parts of at most MAX_LINE_BYTES, at least one."""
    return [line[begin : begin + MAX_LINE_BYTES] for begin in range(0, len(line), MAX_LINE_BYTES)] or [line]


async def _read(stream: asyncio.StreamReader, limit: OutputLimit, clock: Callable[[], float]) -> bytes | None:
    """The next bytes, empty at the end; None if a report is due before."""
    try:
        async with asyncio.timeout(
            None if limit.report_due_s is None else max(0.0, limit.report_due_s - clock())
        ):
            return await stream.read(_READ_BYTES)
    except TimeoutError:
        return None


def _show(name: str, lines: list[bytes]) -> None:
    text = "".join(
        f"{name}: {clean(line.decode('utf-8', 'replace').rstrip(), MAX_LINE_BYTES)}\n" for line in lines
    )
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):  # stderr cannot be written or is closed
        log.debug("the output of function %s cannot be written to stderr", name)
