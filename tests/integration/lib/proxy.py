"""TCP proxies in front of brokers, whose connections can be cut and stalled."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence

CHUNK_BYTES = 64 * 1024


class Proxies:
    """A proxy for each target, each on a separate port, in a thread with an event loop."""

    def __init__(self, targets: Sequence[tuple[str, int]], ports: Sequence[int] | None = None) -> None:
        """ports: where each proxy listens; by default on free ports."""
        self._targets = list(targets)
        wanted = ports or [0] * len(self._targets)
        self._writers: list[set[asyncio.StreamWriter]] = [set() for _ in targets]
        self._loop = asyncio.new_event_loop()
        self._flows = [asyncio.Event() for _ in targets]
        for flow in self._flows:
            flow.set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._servers = [self._do(self._listen(number, port)) for number, port in enumerate(wanted)]
        self.ports: list[int] = [server.sockets[0].getsockname()[1] for server in self._servers]

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self, number: int, port: int) -> asyncio.Server:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                there, back = await asyncio.open_connection(*self._targets[number])
            except OSError:
                writer.transport.abort()
                return
            both = {writer, back}
            self._writers[number] |= both
            try:
                await asyncio.gather(self._copy(number, reader, back), self._copy(number, there, writer))
            finally:
                self._writers[number] -= both
                for side in both:
                    side.transport.abort()

        return await asyncio.start_server(connected, "127.0.0.1", port)

    async def _copy(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._flows[number].wait()
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError, RuntimeError):
            writer.write_eof()

    def _soon(self, call: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(call)

    def cut(self, numbers: Sequence[int]) -> None:
        """Reset all connections. New connections are accepted."""

        def cut() -> None:
            for number in numbers:
                for writer in self._writers[number]:
                    writer.transport.abort()

        self._soon(cut)

    def stall(self, numbers: Sequence[int]) -> None:
        """Hold back data in both directions until `resume`."""
        for number in numbers:
            self._soon(self._flows[number].clear)

    def resume(self) -> None:
        for flow in self._flows:
            self._soon(flow.set)

    def close(self) -> None:
        async def end() -> None:
            for server in self._servers:
                server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self._do(end())
        self._soon(self._loop.stop)
        self._thread.join(5)
