"""Keeps the processes of one function. Each process serves one call at a time. The waiting calls are bounded."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from functions.host.errors import Busy, NotStarted
from functions.host.folder import FunctionFolder
from functions.host.process import FunctionAnswer, FunctionProcess, start_process

log = logging.getLogger(__name__)

# Calls that may wait for a free process. More are rejected with Busy.
MAX_WAITING = 256
# The pause before the next start after a process ended without any answer.
FIRST_BACKOFF_S = 0.1
MAX_BACKOFF_S = 3.0


class ProcessPool:
    """Owns the processes of a function: keeps `size` of them running between `start` and `close`.

    Used in one event loop.
    """

    def __init__(self, folder: FunctionFolder, variables: Mapping[str, str], size: int) -> None:
        self.folder = folder
        self._variables = {name: value for name, value in variables.items() if value}
        self._outdated: set[FunctionProcess] = set()  # run with old variables; killed once they are idle
        self._size = size
        self._idle: list[FunctionProcess] = []
        self._waiting: deque[asyncio.Future[FunctionProcess]] = deque()
        self._alive: set[FunctionProcess] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._start_error: str | None = None  # set while no process runs because the last start failed

    @property
    def is_ready(self) -> bool:
        """Whether a process runs and listens."""
        return any(process.is_alive for process in self._alive)

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables of new processes: Fn's own and the configuration."""
        return dict(self._variables)

    @property
    def pids(self) -> list[int]:
        """The ids of the running processes."""
        return [process.pid for process in self._alive]

    @property
    def idle(self) -> int:
        """How many processes wait for a call."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """How many calls wait for a process."""
        return len(self._waiting)

    def start(self) -> None:
        """Start the processes in the background. Calls wait for them."""
        self._keepers = [asyncio.create_task(self._keep()) for _ in range(self._size)]

    def configure(self, config: Mapping[str, str]) -> None:
        """Set variables; an empty value removes one. If that changes something, all processes are replaced.

        Calls in progress end first.
        """
        changed = {name: value for name, value in {**self._variables, **config}.items() if value}
        if changed == self._variables:
            return
        self._variables = changed
        if self._alive:
            log.info("function %s: new configuration, its processes are replaced", self.folder.name)
        self._outdated |= self._alive
        for process in self._idle:
            process.kill()
        self._idle.clear()

    async def close(self) -> None:
        """End all processes. Calls in progress fail."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for waiter in self._waiting:
            waiter.cancel()

    async def call(self, headers: Mapping[str, str], body: bytes) -> FunctionAnswer:
        """Call the function in the next free process. headers: names in lower case.

        Raises Busy, NotStarted, CallFailed, CallTimedOut.
        """
        timeout_s = self.folder.timeout_s
        process = await self._acquire(timeout_s)
        try:
            deadline = datetime.now(UTC) + timedelta(seconds=timeout_s)
            with_deadline = {**headers, "fn-deadline": deadline.strftime("%Y-%m-%dT%H:%M:%SZ")}
            return await process.call(with_deadline, body, timeout_s)
        finally:
            self._release(process)

    async def _acquire(self, timeout_s: float) -> FunctionProcess:
        while self._idle:
            process = self._idle.pop()  # the last used: its memory is warm
            if process.is_alive:
                return process
        if self._start_error is not None:
            raise NotStarted(self._start_error)
        if len(self._waiting) >= MAX_WAITING:
            raise Busy
        waiter: asyncio.Future[FunctionProcess] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                return await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._release(waiter.result())  # the process became free just as the call gave up
            if isinstance(error, TimeoutError):
                raise Busy from None
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(waiter)

    def _release(self, process: FunctionProcess) -> None:
        if process not in self._alive or not process.is_alive:
            return  # its keeper starts a new one
        if process in self._outdated:
            process.kill()
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(process)
                return
        self._idle.append(process)

    async def _keep(self) -> None:
        """Keep one process running until the pool is closed. No error ends this task."""
        backoff_s = FIRST_BACKOFF_S
        while True:
            has_answered = False
            try:
                has_answered = await self._run_once()
            except NotStarted as error:
                log.error("function %s does not start: %s", self.folder.name, error)
                self._fail_waiting(str(error))
            except Exception as error:  # a bug; the pool must not lose a process for good
                log.exception("function %s: keeping its process running failed", self.folder.name)
                self._fail_waiting(f"{type(error).__name__}: {error}")
            if has_answered:
                backoff_s = FIRST_BACKOFF_S
                continue
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, MAX_BACKOFF_S)

    async def _run_once(self) -> bool:
        """Run one process to its end. Returns whether it answered any call. Raises NotStarted."""
        variables = self._variables
        process = await start_process(self.folder, variables)
        self._start_error = None
        self._alive.add(process)
        if variables != self._variables:  # `configure` was called while the process started
            self._outdated.add(process)
        try:
            self._release(process)
            code = await process.wait()
            if process not in self._outdated:
                log.warning("a process of function %s ended with exit code %s", self.folder.name, code)
            return process.has_answered
        finally:
            self._alive.discard(process)
            self._outdated.discard(process)
            with contextlib.suppress(ValueError):
                self._idle.remove(process)
            await process.stop()

    def _fail_waiting(self, reason: str) -> None:
        """If no process runs at all, fail the waiting calls at once instead of letting them time out."""
        if self._alive:
            return
        self._start_error = reason
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(NotStarted(reason))
