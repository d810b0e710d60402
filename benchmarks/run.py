"""One run of a pipeline: an output topic and processes of its own, and what it made of the load."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from pathlib import Path

import psutil
from confluent_kafka import Consumer, TopicPartition

from benchmarks.meter import LOOK_S, STALLED_S, Measured, Meter, Tally
from benchmarks.pipelines import Pipeline, Topics
from demo.process import Process, ProcessFailed, Program

END_S = 10.0


class Run:
    """One pipeline at work."""

    def __init__(
        self, pipeline: Pipeline, servers: str, topics: Topics, partitions: int, folder: Path
    ) -> None:
        self.topics = topics
        self.meter = Meter(servers, topics.output, partitions)
        self._pipeline = pipeline
        self._servers = servers
        self._partitions = partitions
        self._folder = folder
        self._processes: list[tuple[Process, asyncio.Task[int]]] = []

    async def start_consumers(self) -> None:
        """Raises ProcessFailed, NoEnvironment."""
        await self.start(*self._pipeline.consumers(self._servers, self.topics, self._folder))

    async def start(self, *programs: Program) -> None:
        """One after the other, each until it is ready. Raises ProcessFailed."""
        for program in programs:
            log = self._folder / f"{self.topics.group}-{program.name}.log"
            process = Process(program, log, _tell)
            task = asyncio.create_task(process.run())
            self._processes.append((process, task))
            ready = asyncio.create_task(process.ready.wait())
            await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            self.check()

    async def wait(self, count: int) -> None:
        """Until about so many forecasts are there. Raises ProcessFailed."""
        await asyncio.to_thread(self.meter.wait, count, self.check)

    async def measured(self, events: int) -> tuple[Measured, dict[str, float]]:
        """What became of `events` events, and the CPU µs that one took of each kind of process.

        The CPU is that between the first forecast and the last. The pipeline is ended. Raises ProcessFailed.
        """
        await self.wait(1)
        before_s = self.cpu_s()
        begun = await asyncio.to_thread(self.meter.committed)
        await self.wait(events)
        tally = Tally(events)
        messages = self.meter.read(events)
        await asyncio.to_thread(tally.add_all, itertools.islice(messages, events))
        after_s = self.cpu_s()
        await self.end()
        await asyncio.to_thread(tally.add_all, messages)
        scored = max(tally.forecasts - begun, 1)
        cpu_us = {name: (after_s[name] - before_s.get(name, 0.0)) * 1e6 / scored for name in after_s}
        return tally.measured(), cpu_us

    async def drain(self) -> None:
        """Until the group has committed all of the input topic. Raises ProcessFailed, also if that takes too long."""
        await asyncio.to_thread(self._drain)

    def _drain(self) -> None:
        settings = {"bootstrap.servers": self._servers, "group.id": self.topics.group}
        consumer = Consumer({**settings, "enable.auto.commit": False, "log_level": 0})
        places = [TopicPartition(self.topics.input, number) for number in range(self._partitions)]
        ends = {place.partition: consumer.get_watermark_offsets(place, 10)[1] for place in places}
        best, changed_s = -1, time.monotonic()
        try:
            while True:
                self.check()
                committed = {one.partition: max(one.offset, 0) for one in consumer.committed(places, 10)}
                if committed == ends:
                    return
                if (now := sum(committed.values())) > best:
                    best, changed_s = now, time.monotonic()
                if time.monotonic() - changed_s > STALLED_S:
                    raise ProcessFailed(
                        f"{self._pipeline.name} stopped at {best} of {sum(ends.values())} events"
                    )
                time.sleep(LOOK_S)
        finally:
            consumer.close()

    async def end(self) -> None:
        """End what still runs: the consumers first."""
        for process, _ in reversed(self._processes):
            process.end()
        tasks = [task for _, task in self._processes]
        self._processes = []
        if tasks:
            _, still = await asyncio.wait(tasks, timeout=END_S)
            for task in still:
                task.cancel()

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds so far, by name of process."""
        found: dict[str, float] = {}
        for process, _ in self._processes:
            if process.pid is not None:
                one = psutil.Process(process.pid)
                for each in (one, *one.children(recursive=True)):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        times = each.cpu_times()
                        found[process.name] = found.get(process.name, 0.0) + times.user + times.system
        return found

    def check(self) -> None:
        """Raises ProcessFailed if a process is gone."""
        for process, task in self._processes:
            if task.done():
                task.result()
                raise ProcessFailed(f"{process.name} ended by itself")


def _tell(name: str, text: str) -> None:
    """Nothing: a fresh broker makes its clients warn, and what ends a process is told with its last words."""
