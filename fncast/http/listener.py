"""A listening socket that never takes the last file descriptors of its process."""

from __future__ import annotations

import contextlib
import logging
import resource
import socket
import time
from typing import Any

log = logging.getLogger(__name__)

# Soft limit that a listening process gives itself where the hard limit lets it, as Go programs do.
WANTED_FILES = 8192
MAX_CONNECTIONS = 1000
# After an accept that failed for lack of file descriptors.
PAUSE_S = 0.5


def raise_file_limit() -> int:
    """Let this process open WANTED_FILES files, if it may. Returns how many it may open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return WANTED_FILES if soft == resource.RLIM_INFINITY else soft


def max_connections(files: int) -> int:
    """How many connections a listener serves at most. It accepts twice as many, to refuse them or to shake hands over
    TLS; half of the descriptors stay for the process's own work.

    files: that the process may open."""
    return max(8, min(MAX_CONNECTIONS, files // 4))


class Listener(socket.socket):
    """Counts the connections that it accepted, those in a TLS handshake included."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.limit = 2 * MAX_CONNECTIONS
        self._accepted: list[socket.socket] = []
        self._paused_until_s = 0.0

    def accept(self) -> tuple[socket.socket, Any]:
        """Raises BlockingIOError during a pause after an error: asyncio's loop around `accept` does not end at one,
        tries (and logs) as often as the backlog is long, and schedules as many further attempts."""
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
            self._accepted = [each for each in self._accepted if each.fileno() >= 0]
            if len(self._accepted) >= self.limit:
                log.warning("a connection is refused: %d are open already", len(self._accepted))
                connection.close()
                raise BlockingIOError
        self._accepted.append(connection)
        return connection, address
