"""Server-Sent Events: what changed, to every open page. One copy of a message serves all pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

# Pages open at once; every one costs a copy of each change on the wire.
MAX_CLIENTS = 64
# Changes a page may lag behind, 4 s of them; then it gets the whole state when it can take it.
MAX_BEHIND = 16
# So that proxies and the page itself can tell a quiet stream from a dead one.
KEEP_ALIVE_S = 10.0
RETRY_MS = 1000

Client = asyncio.Queue[bytes | None]


class TooManyClients(Exception):
    """MAX_CLIENTS pages are open."""


class EventStream:
    """Hands changes to any number of clients. Used from one event loop.

    What clients that read slowly wait for is kept once for all of them: at most MAX_BEHIND changes. The whole state is
    written when a client takes it, and clients that take it between two changes share it."""

    def __init__(self, snapshot: Callable[[], bytes]) -> None:
        self._take_snapshot = snapshot
        self._snapshot: bytes | None = None
        self._clients: set[Client] = set()
        self._behind: set[Client] = set()  # get the whole state next
        self._closed = False

    def publish(self, changes: bytes) -> None:
        """Queue `changes` for every client; one that has not taken the last MAX_BEHIND gets the whole state instead."""
        self._snapshot = None
        part = message("changes", changes)
        for client in self._clients - self._behind:
            if client.full():
                _empty(client)
                self._behind.add(client)
            client.put_nowait(part)

    def snapshot(self) -> bytes:
        """The whole state; the same object until the next changes are published."""
        if self._snapshot is None:
            self._snapshot = self._take_snapshot()
        return self._snapshot

    def close(self) -> None:
        """End every client's stream."""
        self._closed = True
        for client in self._clients:
            _empty(client)
            client.put_nowait(None)

    async def messages(self) -> AsyncGenerator[bytes, None]:
        """A client's stream: a snapshot, then changes, until the server or the client ends it.

        Raises TooManyClients before the first."""
        if len(self._clients) >= MAX_CLIENTS:
            raise TooManyClients
        client: Client = asyncio.Queue(MAX_BEHIND)
        self._clients.add(client)
        try:
            yield b"retry: %d\n\n" % RETRY_MS + message("snapshot", self.snapshot())
            while not self._closed:
                try:
                    part = await asyncio.wait_for(client.get(), KEEP_ALIVE_S)
                except TimeoutError:
                    part = b": still here\n\n"
                if part is None:
                    return
                if client in self._behind:
                    _empty(client)
                    self._behind.discard(client)
                    part = message("snapshot", self.snapshot())
                yield part
        finally:
            self._clients.discard(client)
            self._behind.discard(client)


def message(event: str, data: bytes) -> bytes:
    """One Server-Sent Event; `data` holds no newline."""
    return b"event: %s\ndata: %s\n\n" % (event.encode(), data)


def _empty(client: Client) -> None:
    while not client.empty():
        client.get_nowait()
