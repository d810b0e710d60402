"""Measures how fast a pipeline reads a backlog of readings, and the CPU time of a reading."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.programs import Pipeline
from benchmarks.lib.testbed import Testbed
from benchmarks.readings.progress import GroupProgress
from fncast.demo.process import ProcessFailed

START_S = 180.0  # until the first commit
QUIET_S = 3.0
FIELDS = 2  # readings of a record of Telegraf


@dataclass(frozen=True)
class Rate:
    """The rate of one run, from its first commit to its last.

    readings: read in the whole run. per_s: readings a second. cpu_us: of a reading, by kind of process. forecasts:
    number of records on the output topic after the run.
    """

    readings: int
    per_s: float
    cpu_us: dict[str, float]
    forecasts: int

    @property
    def total_cpu_us(self) -> float:
        """CPU time of a reading in all processes, in µs."""
        return sum(self.cpu_us.values())


async def measure(
    testbed: Testbed, pipeline: Pipeline, topic: str, records: int, max_s: float, fields: int = FIELDS
) -> Rate:
    """Let the pipeline read `records` records of the topic, for at most `max_s`. Raises ProcessFailed.

    fields: readings of a record.
    """
    servers = testbed.broker.bootstrap_servers
    async with testbed.run(pipeline, topic) as run:
        processes = run.processes
        with GroupProgress(servers, run.topics.group, topic, processes.check) as progress:
            await run.start_consumers()
            began_s, first = await progress.wait_for(1, START_S)
            if not first:
                raise ProcessFailed(f"{pipeline.name} committed nothing within {START_S:g} s")
            before_s = processes.cpu_s()
            ended_s, last = await progress.wait_for(records, max_s)
            after_s = processes.cpu_s()
        readings = fields * (last - first)
        if not readings:
            raise ProcessFailed(f"{pipeline.name} committed only once within {max_s:g} s")
        cpu_us = {name: (after_s[name] - before_s.get(name, 0.0)) * 1e6 / readings for name in after_s}
        await processes.end()
        forecasts = await asyncio.to_thread(count_forecasts, servers, run.topics.output)
        return Rate(fields * last, readings / (ended_s - began_s), cpu_us, forecasts)


def count_forecasts(servers: str, topic: str) -> int:
    """Return the number of committed records on the topic. Raises ProcessFailed if two have the same id."""
    settings = {"bootstrap.servers": servers, "group.id": f"count-{topic}", "enable.auto.commit": False}
    reader = Consumer({**settings, "isolation.level": "read_committed", "log_level": 0})
    reader.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
    ids: list[str | bytes | None] = []
    try:
        while batch := reader.consume(1000, QUIET_S):
            ids += [dict(each.headers() or ())["ce_id"] for each in batch if each.error() is None]
    finally:
        reader.close()
    if repeated := len(ids) - len(set(ids)):
        raise ProcessFailed(f"{repeated} records of {topic} repeat the id of another one")
    return len(ids)
