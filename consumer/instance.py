"""The name of this replica. Two consumers of a group with one name would end each other's transactions."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import socket
import sys

from consumer.settings import KafkaSettings

log = logging.getLogger("fncast.consumer")

MAX_NAMES = 1000  # names on one host


class Instance:
    """The configured name, or the host's name with a number if other consumers of the group run on the host.

    A name is taken as long as a socket in Linux' abstract namespace is bound to it, so it is free after a crash. Other
    systems have no such names: there the host's name is used as it is.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._socket: socket.socket | None = None
        self.name = kafka.instance_name()
        if kafka.instance or not sys.platform.startswith("linux"):
            return
        host = self.name
        for number in range(1, MAX_NAMES + 1):
            self.name = host if number == 1 else f"{host}-{number}"
            self._socket = _take(f"{kafka.bootstrap_servers}\0{kafka.group_id}\0{self.name}")
            if self._socket is not None:
                break
        if self.name != host:
            log.info(
                "another consumer of the group runs on this host, so this one has the instance name %r",
                self.name,
            )

    def release(self) -> None:
        """Let another consumer take the name."""
        if self._socket is not None:
            self._socket.close()


def _take(name: str) -> socket.socket | None:
    """Bind a socket to the name. None if another process has it."""
    taken = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        taken.bind(b"\0fncast/" + hashlib.sha256(name.encode()).hexdigest()[:32].encode())
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            taken.close()
            return None
        with contextlib.suppress(OSError):  # sockets are not allowed here, so the name is used unchecked
            taken.close()
    return taken
