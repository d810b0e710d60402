"""The processes of one function: one call at a time each, dead ones replaced, waiting calls bounded."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from functions.host.folder import FunctionFolder
from functions.host.process import FunctionAnswer, FunctionProcess, NotStarted, start_process

log = logging.getLogger(__name__)

# Calls that wait for a free process. A caller with more than this in flight is told to slow down.
MAX_WAITING = 256
# A process that dies before it has answered anything would die again at once.
FIRST_BACKOFF_S = 0.1
MAX_BACKOFF_S = 3.0


class Busy(Exception):
    """Too many calls wait, or one has waited for the function's whole timeout."""


class Pool:
    """Runs `size` processes of a function between `start` and `close`. Used in one event loop."""

    def __init__(self, folder: FunctionFolder, variables: Mapping[str, str], size: int) -> None:
        self.folder = folder
        self._variables = {name: value for name, value in variables.items() if value}
        self._outdated: set[FunctionProcess] = set()  # have other variables; replaced once they are idle
        self._size = size
        self._idle: list[FunctionProcess] = []
        self._waiting: deque[asyncio.Future[FunctionProcess]] = deque()
        self._alive: set[FunctionProcess] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._why_not: str | None = None  # set while no process runs because the last one would not start

    @property
    def is_ready(self) -> bool:
        """A process listens."""
        return any(process.is_alive for process in self._alive)

    def start(self) -> None:
        """Begin to start the processes; calls wait for them."""
        self._keepers = [asyncio.create_task(self._keep()) for _ in range(self._size)]

    def configure(self, config: Mapping[str, str]) -> None:
        """Have these variables too, and not those with an empty value: every process is replaced, after the call that
        it works on."""
        changed = {name: value for name, value in {**self._variables, **config}.items() if value}
        if changed == self._variables:
            return
        self._variables = changed
        self._outdated |= self._alive
        for process in self._idle:
            process.kill()
        self._idle.clear()

    async def close(self) -> None:
        """End all processes. Calls in flight fail."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for waiter in self._waiting:
            waiter.cancel()

    async def call(self, headers: Mapping[str, str], body: bytes) -> FunctionAnswer:
        """One call by the next free process. headers: names in lower case.

        Raises Busy, NotStarted, CallFailed, CallTimedOut."""
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
            process = self._idle.pop()  # the one used last: its memory is warm
            if process.is_alive:
                return process
        if self._why_not is not None:
            raise NotStarted(self._why_not)
        if len(self._waiting) >= MAX_WAITING:
            raise Busy
        waiter: asyncio.Future[FunctionProcess] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                return await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._release(waiter.result())  # it came at the very moment that the call gave up
            if isinstance(error, TimeoutError):
                raise Busy from None
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(waiter)

    def _release(self, process: FunctionProcess) -> None:
        if process not in self._alive or not process.is_alive:
            return  # its keeper starts another
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
        """Have one process running for as long as the pool is open, whatever goes wrong meanwhile."""
        backoff_s = FIRST_BACKOFF_S
        while True:
            answered = False
            try:
                answered = await self._run_once()
            except NotStarted as error:
                log.error("function %s does not start: %s", self.folder.name, error)
                self._refuse(str(error))
            except Exception as error:  # a bug, and no reason to have one process fewer from now on
                log.exception("function %s: its process cannot be looked after", self.folder.name)
                self._refuse(f"{type(error).__name__}: {error}")
            if answered:
                backoff_s = FIRST_BACKOFF_S
                continue
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, MAX_BACKOFF_S)

    async def _run_once(self) -> bool:
        """Run one process to its end. Returns whether it had answered anything. Raises NotStarted."""
        process = await start_process(self.folder, self._variables)
        self._why_not = None
        self._alive.add(process)
        try:
            self._release(process)
            code = await process.wait()
            log.warning("a process of function %s ended with exit code %s", self.folder.name, code)
            return process.answered
        finally:
            self._alive.discard(process)
            self._outdated.discard(process)
            with contextlib.suppress(ValueError):
                self._idle.remove(process)
            await process.stop()

    def _refuse(self, reason: str) -> None:
        """Where no process runs at all, tell the calls that wait instead of letting them time out."""
        if self._alive:
            return
        self._why_not = reason
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(NotStarted(reason))
