"""The number of a port, as the flags of every listener give it."""

from __future__ import annotations

import argparse

from interceptor.routes.route import MAX_PORT


def port(text: str) -> int:
    """0 lets the system choose. Raises argparse.ArgumentTypeError: sockets take a larger one modulo 65536."""
    is_short_number = text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_PORT))
    if not is_short_number or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"must be a port from 0 to {MAX_PORT}, not {text[:20]!r}")
    return int(text)
