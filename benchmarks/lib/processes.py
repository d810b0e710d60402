"""The processes of one measurement: started one after the other, observed, ended together."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import psutil

from fncast.demo.process import Process, ProcessFailed, Program

END_S = 10.0
MB = 1e6


class Processes:
    """Starts processes. As a context manager, it ends them. folder: for their logs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[tuple[Process, asyncio.Task[int]]] = []

    async def __aenter__(self) -> Processes:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def start(self, *programs: Program) -> None:
        """Start the programs one after the other; each must be ready before the next. Raises ProcessFailed."""
        for program in programs:
            process = Process(program, self._folder / f"{program.name}.log", _ignore_line)
            task = asyncio.create_task(process.run())
            self._running.append((process, task))
            ready = asyncio.create_task(process.ready.wait())
            await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            self.check()

    async def end(self) -> None:
        """End the running processes, the last one first."""
        # Children of some servers are in separate process groups, so they would outlive their parent.
        families = [member for process, _ in self._running for member in _family(process.pid)]
        for process, _ in reversed(self._running):
            process.end()
        tasks = [task for _, task in self._running]
        if tasks:
            _, remaining = await asyncio.wait(tasks, timeout=END_S)
            for process, task in self._running:
                if task in remaining:
                    process.kill()
            await asyncio.wait(tasks, timeout=END_S)
        for member in families:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self._running = []

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds used so far, children included, by the name of the process."""
        found: dict[str, float] = {}
        for process, _ in self._running:
            for member in _family(process.pid):
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = member.cpu_times()
                    found[process.name] = found.get(process.name, 0.0) + times.user + times.system
        return found

    def memory_mb(self, name: str) -> float:
        """Return the current resident memory of all processes of that name, in MB (1,000,000 bytes)."""
        total_bytes = 0
        for process in self.family(name):
            with contextlib.suppress(psutil.NoSuchProcess):
                total_bytes += process.memory_info().rss
        return total_bytes / MB

    def family(self, name: str) -> list[psutil.Process]:
        """Return the processes of that name and their children."""
        named = [process for process, _ in self._running if process.name == name]
        return [member for process in named for member in _family(process.pid)]

    def check(self) -> None:
        """Raise ProcessFailed if a process has ended."""
        for process, task in self._running:
            if task.done():
                task.result()
                raise ProcessFailed(f"{process.name} ended by itself")


def _family(pid: int | None) -> list[psutil.Process]:
    """Return a process and its descendants; empty if it has ended."""
    if pid is None:
        return []
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _ignore_line(name: str, text: str) -> None:
    """Ignore a log line: clients of a new broker log warnings. ProcessFailed holds the last lines of a process."""
