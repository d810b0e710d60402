"""One run of a pipeline: an output topic and processes of its own, and what it made of the load."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from pathlib import Path

from confluent_kafka import Consumer, ConsumerGroupState, TopicPartition
from confluent_kafka.admin import AdminClient

from benchmarks.lib.broker import Broker
from benchmarks.lib.meter import LOOK_S, STALLED_S, Measured, Meter, Tally
from benchmarks.lib.processes import Processes
from benchmarks.lib.programs import EXACTLY, Pipeline, Topics
from benchmarks.lib.query_consumers import UNCOMMITTED
from fncast.demo.process import ProcessFailed


class Run:
    """One pipeline at work."""

    def __init__(
        self, pipeline: Pipeline, broker: Broker, topics: Topics, partitions: int, folder: Path
    ) -> None:
        self.topics = topics
        self.meter = Meter(broker.bootstrap_servers, topics.output, partitions)
        self.processes = Processes(folder)
        self._pipeline = pipeline
        self._broker = broker
        self._partitions = partitions
        self._folder = folder

    async def start_services(self) -> None:
        """Raises ProcessFailed, NoEnvironment."""
        await self.processes.start(*self._pipeline.services())

    async def start_consumers(self) -> None:
        """Raises ProcessFailed, NoEnvironment."""
        programs = self._pipeline.consumers(self._broker.bootstrap_servers, self.topics, self._folder)
        await self.processes.start(*programs)

    async def wait(self, count: int) -> None:
        """Until about so many forecasts are there. Raises ProcessFailed."""
        await asyncio.to_thread(self.meter.wait, count, self.processes.check)

    async def measured(self, events: int) -> tuple[Measured, dict[str, float]]:
        """What became of `events` events, and the CPU µs that one took of each kind of process and of the broker.

        The CPU is that between the first forecast and the last, NaN where most were there at the first look. The
        pipeline is ended. Raises ProcessFailed.
        """
        # Of what is not committed yet: the first transaction would hide thousands.
        await asyncio.to_thread(self.meter.wait, 1, self.processes.check, UNCOMMITTED)
        before_s, begun = self.processes.cpu_s(), await asyncio.to_thread(self.meter.length, UNCOMMITTED)
        before_s |= await self._broker_cpu_s()
        await self.wait(events)
        after_s = await self._broker_cpu_s()  # without the reading that follows
        tally = Tally(events)
        messages = self.meter.read(events)
        await asyncio.to_thread(tally.add_all, itertools.islice(messages, events))
        after_s |= self.processes.cpu_s()
        await self.processes.end()
        await asyncio.to_thread(tally.add_all, messages)
        scored = tally.forecasts - begun
        per = scored if scored > events / 2 else math.nan
        cpu_us = {name: (after_s[name] - before_s.get(name, 0.0)) * 1e6 / per for name in after_s}
        return tally.measured(), cpu_us

    async def _broker_cpu_s(self) -> dict[str, float]:
        return {"broker": await asyncio.to_thread(self._broker.cpu_s)}

    async def drain(self) -> None:
        """Until all of the input topic has its forecasts. Raises ProcessFailed, also if it stops halfway.

        Without transactions the output's length says so; offsets may be committed long after. A transaction commits
        both at once, and its markers count in the output's length: there the offsets say so.
        """
        await asyncio.to_thread(self._drain)

    def _drain(self) -> None:
        settings = {"bootstrap.servers": self._broker.bootstrap_servers, "group.id": self.topics.group}
        consumer = Consumer({**settings, "enable.auto.commit": False, "log_level": 0})
        places = [TopicPartition(self.topics.input, number) for number in range(self._partitions)]

        def committed() -> int:
            return sum(max(place.offset, 0) for place in consumer.committed(places, 10))

        done = committed if self._pipeline.delivery == EXACTLY else self.meter.length
        best, changed_s = -1, time.monotonic()
        try:
            events = sum(consumer.get_watermark_offsets(place, 10)[1] for place in places)
            while (now := done()) < events:
                self.processes.check()
                if now > best:
                    best, changed_s = now, time.monotonic()
                if time.monotonic() - changed_s > STALLED_S:
                    raise ProcessFailed(f"{self._pipeline.name} stopped at {best} of {events} events")
                time.sleep(LOOK_S)
        finally:
            consumer.close()

    async def wait_for_members(self, count: int) -> None:
        """Until the group has so many members and they have shared the partitions. Raises ProcessFailed."""
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
            await asyncio.sleep(LOOK_S)

    async def close(self) -> None:
        await self.processes.end()
        self.meter.close()
