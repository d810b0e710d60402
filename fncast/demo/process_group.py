"""Runs the demo's processes side by side: one that ends by itself ends all."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from fncast.demo.plan import environment
from fncast.demo.process import Process, ProcessFailed, Program
from fncast.demo.report import Report

KILL_S = 0.3


class ProcessGroup:
    """Owns the processes. Create and use it in one event loop.

    failure: gets an exception when a process ends by itself, or by `fail`.
    """

    def __init__(self, folder: Path, report: Report) -> None:
        """folder: for the logs. report: gets a process's name and a message."""
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._folder = folder
        self._report = report
        self._processes: dict[str, Process] = {}
        self._tasks: dict[str, asyncio.Task[int]] = {}
        self._may_end: set[str] = set()
        self._advice: dict[str, str] = {}
        self._is_closing = False
        self._environment = environment()

    @property
    def names(self) -> list[str]:
        """The processes that were started, in this order."""
        return list(self._tasks)

    async def start(self, program: Program, *, may_end: bool = False, advice: str = "") -> None:
        """Start a program and wait until it is ready. Raises ProcessFailed.

        may_end: whether it may end by itself with the exit code 0. advice: appended to its failure.
        """
        name = program.name
        program = replace(program, environment={**self._environment, **(program.environment or {})})
        process = Process(program, self._folder / f"{name}.log", self._report)
        if may_end:
            self._may_end.add(name)
        self._advice[name] = advice
        task = asyncio.create_task(process.run(), name=name)
        self._processes[name], self._tasks[name] = process, task
        task.add_done_callback(self._on_end)
        ready = asyncio.create_task(process.ready.wait())
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if task.done():
            task.result()

    async def wait_for_end(self, name: str) -> None:
        """Wait until a process has ended. Raises ProcessFailed."""
        await self._tasks[name]

    def fail(self, error: BaseException) -> None:
        """Set the failure, unless there is one or the processes are ended."""
        if not self._is_closing and not self.failure.done():
            self.failure.set_exception(error)

    def expect_ends(self) -> None:
        """From now on, the end of a process is not a failure."""
        self._is_closing = True

    def ask_to_end(self, name: str) -> None:
        """Ask a process to end, without waiting for it."""
        if (process := self._processes.get(name)) is not None:
            process.end()

    async def end(self, names: Collection[str], timeout_s: float) -> None:
        """Ask these processes to end. Kill those that do not end within `timeout_s`."""
        tasks = {self._tasks[name] for name in names if name in self._tasks}
        if not tasks:
            return
        ending = [self._processes[task.get_name()] for task in tasks]
        for process in ending:
            process.end()
        _, left = await asyncio.wait(tasks, timeout=timeout_s)
        if left:
            for process in ending:
                process.kill()
            await asyncio.wait(left, timeout=KILL_S)

    def _on_end(self, task: asyncio.Task[int]) -> None:
        name = task.get_name()
        if self._is_closing or self.failure.done() or task.cancelled():
            return
        if (error := task.exception()) is not None:
            advice = self._advice[name]
            self.fail(ProcessFailed(f"{error}\n{advice}") if advice else error)
        elif name not in self._may_end:
            self.fail(ProcessFailed(f"{name} ended by itself"))
