"""A consumer and a listener that a test ends."""

from __future__ import annotations

import asyncio

from consumer.settings import Settings


class FakeService:
    """A service that runs until `stop`, or fails at once with `error`."""

    error: Exception | None = None

    def __init__(self, _: Settings) -> None:
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        if self.error is not None:
            raise self.error
        await self._stopped.wait()

    def stop(self) -> None:
        self._stopped.set()

    def health(self):
        return {}


class FakeServer:
    """A listener that stops at once (by `error` if given), or runs until `should_exit`."""

    should_exit = takes_signals = False

    def __init__(self, error: Exception | None = None, ends: bool = True) -> None:
        self._error, self._ends = error, ends

    async def serve(self, sockets) -> None:
        for socket in sockets:
            socket.close()
        if self._error is not None:
            raise self._error
        while not self.should_exit and not self._ends:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
