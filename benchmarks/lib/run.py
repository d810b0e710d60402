"""One run of a pipeline: its output topic, its processes and its result."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from pathlib import Path

from confluent_kafka import Consumer, ConsumerGroupState, TopicPartition
from confluent_kafka.admin import AdminClient

from benchmarks.lib.broker import Broker
from benchmarks.lib.meter import POLL_EVERY_S, STALLED_S, Meter, RunResult, Tally
from benchmarks.lib.processes import Processes
from benchmarks.lib.programs import EXACTLY, Pipeline, RunTopics
from benchmarks.lib.query_consumers import UNCOMMITTED
from fncast.demo.process import ProcessFailed


class Run:
    """A running pipeline. Owns its processes and the meter of its output; `close` ends them."""

    def __init__(
        self, pipeline: Pipeline, broker: Broker, topics: RunTopics, partitions: int, folder: Path
    ) -> None:
        self.topics = topics
        self.meter = Meter(broker.bootstrap_servers, topics.output, partitions)
        self.processes = Processes(folder)
        self._pipeline = pipeline
        self._broker = broker
        self._partitions = partitions
        self._folder = folder

    async def start_services(self) -> None:
        """Start the services behind the consumers. Raises ProcessFailed, NoEnvironment."""
        await self.processes.start(*self._pipeline.services())

    async def start_consumers(self) -> None:
        """Start the consumers. Raises ProcessFailed, NoEnvironment."""
        programs = self._pipeline.consumers(self._broker.bootstrap_servers, self.topics, self._folder)
        await self.processes.start(*programs)

    async def wait(self, count: int) -> None:
        """Wait until about `count` forecasts are published. Raises ProcessFailed."""
        await asyncio.to_thread(self.meter.wait, count, self.processes.check)

    async def measure(self, events: int) -> tuple[RunResult, dict[str, float]]:
        """Wait for the forecasts of `events` events, end the pipeline and count its forecasts. Raises ProcessFailed.

        Returns the result, and the CPU time of an event in µs by kind of process, the broker included. The CPU time is
        measured from the first forecast to the last. It is NaN if most forecasts existed before.
        """
        # Uncommitted forecasts count as the first: the first transaction would hide thousands.
        await asyncio.to_thread(self.meter.wait, 1, self.processes.check, UNCOMMITTED)
        before_s = self.processes.cpu_s()
        forecasts_before = await asyncio.to_thread(self.meter.length, UNCOMMITTED)
        before_s |= await self._broker_cpu_s()
        await self.wait(events)
        after_s = await self._broker_cpu_s()  # before the meter reads the topic
        tally = Tally(events)
        messages = self.meter.read(events)
        await asyncio.to_thread(tally.add_all, itertools.islice(messages, events))
        after_s |= self.processes.cpu_s()
        await self.processes.end()
        await asyncio.to_thread(tally.add_all, messages)
        forecasts = tally.forecasts - forecasts_before
        count = forecasts if forecasts > events / 2 else math.nan
        cpu_us = {name: (after_s[name] - before_s.get(name, 0.0)) * 1e6 / count for name in after_s}
        return tally.result(), cpu_us

    async def _broker_cpu_s(self) -> dict[str, float]:
        return {"broker": await asyncio.to_thread(self._broker.cpu_s)}

    async def drain(self) -> None:
        """Wait until all events of the input topic have forecasts. Raises ProcessFailed, also if the pipeline stops.

        Without transactions, the length of the output decides, because offsets may be committed much later. With
        transactions, the committed offsets decide, because markers count in the length of the output.
        """
        await asyncio.to_thread(self._drain)

    def _drain(self) -> None:
        settings = {"bootstrap.servers": self._broker.bootstrap_servers, "group.id": self.topics.group}
        consumer = Consumer({**settings, "enable.auto.commit": False, "log_level": 0})
        inputs = [TopicPartition(self.topics.input, number) for number in range(self._partitions)]

        def committed() -> int:
            return sum(max(each.offset, 0) for each in consumer.committed(inputs, 10))

        processed = committed if self._pipeline.delivery == EXACTLY else self.meter.length
        best, changed_s = -1, time.monotonic()
        try:
            events = sum(consumer.get_watermark_offsets(each, 10)[1] for each in inputs)
            while (now := processed()) < events:
                self.processes.check()
                if now > best:
                    best, changed_s = now, time.monotonic()
                if time.monotonic() - changed_s > STALLED_S:
                    raise ProcessFailed(f"{self._pipeline.name} stopped at {best} of {events} events")
                time.sleep(POLL_EVERY_S)
        finally:
            consumer.close()

    async def wait_for_members(self, count: int) -> None:
        """Wait until the group has `count` members and all partitions are assigned. Raises ProcessFailed."""
        admin = AdminClient({"bootstrap.servers": self._broker.bootstrap_servers, "log_level": 0})
        deadline_s = time.monotonic() + STALLED_S
        while True:
            self.processes.check()
            [future] = admin.describe_consumer_groups([self.topics.group]).values()
            group = await asyncio.wrap_future(future)
            if group.state == ConsumerGroupState.STABLE and len(group.members) == count:
                return
            if time.monotonic() > deadline_s:
                raise ProcessFailed(
                    f"the group has {len(group.members)} members after {STALLED_S:g} s, not {count}"
                )
            await asyncio.sleep(POLL_EVERY_S)

    async def close(self) -> None:
        """End the processes, and close the clients of the meter."""
        await self.processes.end()
        self.meter.close()
