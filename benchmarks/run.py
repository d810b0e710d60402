"""One run of a pipeline: topics and processes of its own, and what it made of the load."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import psutil

from benchmarks.broker import Broker
from benchmarks.meter import Measured, Meter
from benchmarks.pipelines import Pipeline, Topics
from demo.process import Process, ProcessFailed

END_S = 10.0
_runs = itertools.count(1)


class Run:
    """One pipeline with topics of its own."""

    def __init__(self, pipeline: Pipeline, on: Broker, topics: Topics, folder: Path) -> None:
        self.topics = topics
        self._pipeline = pipeline
        self._broker = on
        self._folder = folder
        self._processes: list[tuple[Process, asyncio.Task[int]]] = []
        self._meter = Meter(on.bootstrap_servers, topics.input, topics.output)

    async def start_services(self) -> None:
        for program in self._pipeline.services():
            await self._start(Process(program, self._folder / f"{program.name}.log", _tell))

    async def start_consumer(self) -> None:
        program = self._pipeline.consumer(self._broker.bootstrap_servers, self.topics, self._folder)
        await self._start(Process(program, self._folder / f"{program.name}.log", _tell))

    async def wait(self, count: int) -> int:
        """Until so many forecasts are there; returns how many are."""
        return await asyncio.to_thread(self._meter.wait, count, self._check)

    async def measured(self, count: int, skip: int = 0) -> tuple[Measured, float]:
        """What became of `count` events, the delays without the first `skip`; and the CPU seconds an event took.

        CPU is that of all processes of the pipeline, from the first forecast seen to the last. The pipeline is ended.
        """
        begun = await self.wait(skip + 1)
        before_s = self._cpu_s()
        ended = await self.wait(count)
        cpu_s = self._cpu_s() - before_s
        await self.end()
        measured = await asyncio.to_thread(self._meter.measure, count, skip)
        return measured, cpu_s / (ended - begun) if ended > begun else float("nan")

    async def end(self) -> None:
        for process, _ in reversed(self._processes):
            process.end()
        tasks = [task for _, task in self._processes]
        self._processes = []
        if tasks:
            await asyncio.wait(tasks, timeout=END_S)
            for task in tasks:
                task.cancel()

    def close(self) -> None:
        self._meter.close()

    def _cpu_s(self) -> float:
        total_s = 0.0
        for process, _ in self._processes:
            if process.pid is not None:
                one = psutil.Process(process.pid)
                for each in (one, *one.children(recursive=True)):
                    times = each.cpu_times()
                    total_s += times.user + times.system
        return total_s

    async def _start(self, process: Process) -> None:
        task = asyncio.create_task(process.run())
        self._processes.append((process, task))
        ready = asyncio.create_task(process.ready.wait())
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        self._check()

    def _check(self) -> None:
        """Raises ProcessFailed if a process is gone."""
        for process, task in self._processes:
            if task.done():
                task.result()
                raise ProcessFailed(f"{process.name} ended by itself")


@contextlib.asynccontextmanager
async def running(pipeline: Pipeline, on: Broker, folder: Path) -> AsyncIterator[Run]:
    number = next(_runs)
    stem = f"bench-{folder.name[-8:]}-{number}"
    topics = Topics(stem, f"{stem}-in", f"{stem}-out", f"{stem}-dead")
    names = (topics.input, topics.output, topics.dead_letters)
    await asyncio.to_thread(on.make_topics, *names)
    run = Run(pipeline, on, topics, folder)
    try:
        await run.start_services()
        yield run
    finally:
        await run.end()
        run.close()
        await asyncio.to_thread(on.delete_topics, *names)


def _tell(name: str, text: str) -> None:
    """Nothing: a fresh broker makes its clients warn, and what ends a process is told with its last words."""
