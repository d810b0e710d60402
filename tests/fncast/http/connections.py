"""Reads from connections."""

from __future__ import annotations

import socket


def rest_of(connection: socket.socket) -> bytes:
    """All bytes until the other side closes."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)
