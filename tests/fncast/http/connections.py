"""Reads from connections, and waits for a condition."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable


def rest_of(connection: socket.socket) -> bytes:
    """All bytes until the other side closes."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def until(condition: Callable[[], bool], within_s: float = 20) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "the condition did not come true"
        time.sleep(0.01)
