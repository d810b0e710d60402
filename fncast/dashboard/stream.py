"""Server-Sent Events: sends changes to every open page. All pages share one copy of a message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

# Pages that may be open at once. Each one costs a copy of every change on the network.
MAX_CLIENTS = 64
# Changes that a client may lag behind, four seconds of them. A slower client gets the whole state next.
MAX_BEHIND = 16
# Comments between changes, so that proxies and the page can distinguish a quiet stream from a broken one.
KEEP_ALIVE_S = 10.0
RETRY_MS = 1000

Client = asyncio.Queue[bytes | None]


class TooManyClients(Exception):
    """MAX_CLIENTS pages are open."""


class EventStream:
    """Sends changes to any number of clients. Use it from one event loop.

    The queues of all clients hold the same messages, at most MAX_BEHIND each. A snapshot is created when a client takes
    it. Clients that take a snapshot between two changes share it.
    """

    def __init__(self, snapshot: Callable[[], bytes]) -> None:
        """snapshot: returns the whole state as JSON."""
        self._create_snapshot = snapshot
        self._snapshot: bytes | None = None
        self._clients: set[Client] = set()
        self._behind: set[Client] = set()  # clients that get the whole state next
        self._closed = False

    @property
    def clients(self) -> int:
        """How many clients are connected."""
        return len(self._clients)

    def publish(self, changes: bytes) -> None:
        """Queue `changes` (JSON) for every client. A client that lags by MAX_BEHIND gets the whole state instead."""
        self._snapshot = None
        changes_message = message("changes", changes)
        for client in self._clients - self._behind:
            if client.full():
                _empty(client)
                self._behind.add(client)
            client.put_nowait(changes_message)

    def snapshot(self) -> bytes:
        """Return the whole state as JSON; the same object until the next changes are published."""
        if self._snapshot is None:
            self._snapshot = self._create_snapshot()
        return self._snapshot

    def close(self) -> None:
        """End every client's stream."""
        self._closed = True
        for client in self._clients:
            _empty(client)
            client.put_nowait(None)

    async def messages(self) -> AsyncGenerator[bytes, None]:
        """Yield one client's messages: a snapshot, then changes, until `close` or until the client leaves.

        Raises TooManyClients before the first message.
        """
        if len(self._clients) >= MAX_CLIENTS:
            raise TooManyClients
        client: Client = asyncio.Queue(MAX_BEHIND)
        self._clients.add(client)
        try:
            yield b"retry: %d\n\n" % RETRY_MS + message("snapshot", self.snapshot())
            while not self._closed:
                try:
                    queued = await asyncio.wait_for(client.get(), KEEP_ALIVE_S)
                except TimeoutError:
                    queued = b": still here\n\n"
                if queued is None:
                    return
                if client in self._behind:
                    _empty(client)
                    self._behind.discard(client)
                    queued = message("snapshot", self.snapshot())
                yield queued
        finally:
            self._clients.discard(client)
            self._behind.discard(client)


def message(event: str, data: bytes) -> bytes:
    """Return one Server-Sent Event. `data` contains no newline."""
    return b"event: %s\ndata: %s\n\n" % (event.encode(), data)


def _empty(client: Client) -> None:
    while not client.empty():
        client.get_nowait()
