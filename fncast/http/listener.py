"""Listening sockets that leave file descriptors for the rest of their process."""

from __future__ import annotations

import contextlib
import errno
import logging
import resource
import socket
import time
from typing import Any

from fncast.failure import Failure

log = logging.getLogger(__name__)

BACKLOG = 1024
# The soft limit that a listening process sets for itself if the hard limit allows it, as Go programs do.
WANTED_FILES = 8192
MAX_CONNECTIONS = 1000
# How long `accept` pauses after it failed, for example for lack of file descriptors.
PAUSE_S = 0.5


def bind(host: str, port: int, flag: str = "--port") -> socket.socket:
    """A listening socket. Raises Failure with the address and the reason; `flag` is the flag that sets the port."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = Listener(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    # UnicodeError: a label of the host is too long, or empty.
    except (OSError, OverflowError, UnicodeError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise Failure(f"port {port} on {host} is in use; choose another with {flag}") from None
        raise Failure(f"cannot listen on {host}:{port}: {error}") from None
    return listener


def raise_file_limit() -> int:
    """Raise this process's soft limit of open files to WANTED_FILES, if it may. Returns the limit that then holds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return WANTED_FILES if soft == resource.RLIM_INFINITY else soft


def max_connections(files: int) -> int:
    """How many connections a listener serves at the same time.

    It accepts twice as many connections: those beyond the number are refused, or are in a TLS handshake. The other half
    of the file descriptors is for the process's own files. files: how many the process may open.
    """
    return max(8, min(MAX_CONNECTIONS, files // 4))


class Listener(socket.socket):
    """A listening socket that bounds its open connections, including those in a TLS handshake.

    Used by one event loop. The server sets `limit`.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.limit = 2 * MAX_CONNECTIONS
        self._accepted: list[socket.socket] = []
        self._paused_until_s = 0.0

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection and its address. Raises BlockingIOError at the limit and for PAUSE_S after an error.

        The pause is needed because asyncio does not stop at an error: it calls `accept` again for each place of the
        backlog, logs each failure and schedules as many further calls.
        """
        if time.monotonic() < self._paused_until_s:
            raise BlockingIOError
        try:
            connection, address = super().accept()
        except BlockingIOError:
            raise
        except OSError:
            self._paused_until_s = time.monotonic() + PAUSE_S
            raise
        if len(self._accepted) >= self.limit:
            self._accepted = [accepted for accepted in self._accepted if accepted.fileno() >= 0]
            if len(self._accepted) >= self.limit:
                log.warning("a connection is refused: %d are open already", len(self._accepted))
                connection.close()
                raise BlockingIOError
        self._accepted.append(connection)
        return connection, address
