"""Port numbers."""

from __future__ import annotations

import argparse

MAX_PORT = 65535


def parse_port(text: str) -> int:
    """A port from 0 to MAX_PORT. With 0 the system chooses a free port.

    Raises argparse.ArgumentTypeError. Larger numbers must be rejected here: sockets take them modulo 65536.
    """
    is_short_number = text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_PORT))
    if not is_short_number or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"must be a port from 0 to {MAX_PORT}, not {text[:20]!r}")
    return int(text)
