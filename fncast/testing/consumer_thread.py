"""Runs functions and a consumer in an event loop of a separate thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from consumer.service import Service
from consumer.settings import Settings
from fncast.testing.function_server import FunctionServer, PythonFunction
from interceptor.contract import Interceptor, Offsets

if TYPE_CHECKING:
    from fncast.testing.folder_host import FolderHost

T = TypeVar("T")

STEP_S = 0.05
STOP_S = 30.0  # a stop takes less than 5 s on a quiet machine


class CommittedOffsets(Interceptor):
    """Records the offsets that were committed. Used by the consumer's thread and the test's."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, int], int] = {}
        self._changed = threading.Condition()

    def on_commit(self, offsets: Offsets) -> None:
        """See Interceptor.on_commit."""
        with self._changed:
            self._next.update(offsets)
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait for the next commit, at most STEP_S."""
        with self._changed:
            self._changed.wait(STEP_S)

    def includes(self, topic: str, partition: int, offset: int) -> bool:
        """Whether the record at this offset is committed."""
        with self._changed:
            return offset < self._next.get((topic, partition), 0)


class ConsumerThread:
    """Owns the thread, its event loop, the functions and the consumer. `stop` ends all of them."""

    def __init__(self, functions: Mapping[str, PythonFunction], folders: Mapping[str, Path]) -> None:
        """functions, folders: by destination. folders: of Fn functions."""
        self.committed = CommittedOffsets()
        self.functions = FunctionServer(functions)
        self._folders = folders
        self._host: FolderHost | None = None
        self._service: Service | None = None
        self._running: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fncast-testing", daemon=True)
        self._thread.start()

    def start_functions(self, within_s: float) -> tuple[dict[str, str], str]:
        """Start the functions. Returns the target of each route, and the URL of the Fn API or an empty string."""
        return self._call(self._start_functions(), within_s)

    def start_consumer(self, settings: Settings, interceptors: Mapping[str, Interceptor]) -> None:
        """Start the consumer. interceptors: by their names in the chain. Raises SettingsError, ConsumerError."""
        self._call(self._start_consumer(settings, interceptors), STOP_S)

    @property
    def failure(self) -> BaseException | None:
        """The exception that ended the consumer, or None."""
        running = self._running
        return running.exception() if running is not None and running.done() else None

    @property
    def health(self) -> Mapping[str, Any]:
        """The answer of the consumer's /readyz."""
        assert self._service is not None, "the consumer is not started"
        return self._service.health()

    def stop(self) -> None:
        """Stop the consumer, then the functions, then the thread."""
        try:
            self._call(self._stop(), STOP_S)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_S)
            self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T], within_s: float) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(within_s)

    async def _start_functions(self) -> tuple[dict[str, str], str]:
        targets = await self.functions.start()
        if not self._folders:
            return targets, ""
        from fncast.testing.folder_host import APP, FolderHost  # needs the FDK

        host = FolderHost(list(self._folders.values()))
        fn_url = await host.start()
        self._host = host
        names = zip(self._folders, host.names, strict=True)
        return targets | {destination: f"fn:{APP}/{name}" for destination, name in names}, fn_url

    async def _start_consumer(self, settings: Settings, interceptors: Mapping[str, Interceptor]) -> None:
        self._service = Service(settings, interceptors)
        self._running = asyncio.create_task(self._service.run())

    async def _stop(self) -> None:
        if self._service is not None and self._running is not None:
            self._service.stop()
            await asyncio.wait({self._running})
        if self._host is not None:
            await self._host.stop()
        await self.functions.close()
