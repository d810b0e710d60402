"""Server-Sent Events: what changed, to every open page, and never more in memory than one page may lag behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

# Pages open at once; every one costs a copy of each change on the wire.
MAX_CLIENTS = 64
# Changes a page may lag behind, 4 s of them; then they are dropped and it gets the whole anew when it can take it.
MAX_BEHIND = 16
# So that proxies and the page itself can tell a quiet stream from a dead one.
KEEP_ALIVE_S = 10.0
RETRY_MS = 1000


class TooManyClients(Exception):
    """MAX_CLIENTS pages are open."""


class Stream:
    """Hands changes to any number of clients. Used from one event loop."""

    def __init__(self, snapshot: Callable[[], bytes]) -> None:
        self._snapshot = snapshot
        self._clients: set[asyncio.Queue[bytes | None]] = set()
        self._closed = False

    def publish(self, changes: bytes) -> None:
        """Queue `changes` for every client; one that has not taken the last MAX_BEHIND gets a snapshot instead."""
        for client in self._clients:
            if client.full():
                _empty(client)
                client.put_nowait(message("snapshot", self._snapshot()))
            else:
                client.put_nowait(message("changes", changes))

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
        client: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_BEHIND)
        self._clients.add(client)
        try:
            yield b"retry: %d\n\n" % RETRY_MS + message("snapshot", self._snapshot())
            while not self._closed:
                try:
                    part = await asyncio.wait_for(client.get(), KEEP_ALIVE_S)
                except TimeoutError:
                    part = b": still here\n\n"
                if part is None:
                    return
                yield part
        finally:
            self._clients.discard(client)


def message(event: str, data: bytes) -> bytes:
    """One Server-Sent Event; `data` holds no newline."""
    return b"event: %s\ndata: %s\n\n" % (event.encode(), data)


def _empty(client: asyncio.Queue[bytes | None]) -> None:
    while not client.empty():
        client.get_nowait()
