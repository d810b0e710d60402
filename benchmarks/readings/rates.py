"""Measures how fast a pipeline reads a backlog of readings, and what a reading costs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.processes import Processes
from benchmarks.lib.programs import Pipeline
from benchmarks.lib.testbed import Testbed
from fncast.demo.process import ProcessFailed

LOOK_S = 0.1
START_S = 180.0  # until the first commit
QUIET_S = 3.0
FIELDS = 2  # readings of a record of Telegraf


@dataclass(frozen=True)
class Rate:
    """The rate from the first commit on. readings_s: readings a second. cpu_us: of a reading, by kind of process.

    forecasts: number of records on the output topic, by all commits.
    """

    readings: int
    readings_s: float
    cpu_us: dict[str, float]
    forecasts: int


async def measure(
    testbed: Testbed, pipeline: Pipeline, topic: str, records: int, max_s: float, fields: int = FIELDS
) -> Rate:
    """Let the pipeline read `records` records of the topic, for at most this long. Raises ProcessFailed.

    fields: readings of a record.
    """
    async with testbed.run(pipeline, topic) as run:
        servers, group = testbed.broker.bootstrap_servers, run.topics.group
        reader = Consumer({"bootstrap.servers": servers, "group.id": group, "log_level": 0})
        try:
            await run.start_consumers()

            async def after(count: int, within_s: float) -> tuple[float, int]:
                """Wait until more than `count` records are committed. Returns time and number."""
                end_s = time.monotonic() + within_s
                while True:
                    done = await asyncio.to_thread(committed, reader, topic)
                    now_s = time.monotonic()
                    if done > count or now_s > end_s:
                        return now_s, done
                    run.processes.check()
                    await asyncio.sleep(LOOK_S)

            began_s, first = await after(0, START_S)
            if not first:
                raise ProcessFailed(f"{pipeline.name} committed nothing within {START_S:g} s")
            before_s = run.processes.cpu_s()
            ended_s, last = await after(records - 1, max_s)
            after_s = run.processes.cpu_s()
        finally:
            reader.close()
        readings = fields * (last - first)
        if not readings:
            raise ProcessFailed(f"{pipeline.name} committed only once within {max_s:g} s")
        cpu_us = {name: (after_s[name] - before_s.get(name, 0.0)) * 1e6 / readings for name in after_s}
        await run.processes.end()
        forecasts = await asyncio.to_thread(count_records, servers, run.topics.output)
        return Rate(fields * last, readings / (ended_s - began_s), cpu_us, forecasts)


async def wait_until_read(
    servers: str, group: str, topic: str, records: int, processes: Processes, within_s: float
) -> None:
    """Wait until the group has committed this many records. Raises ProcessFailed."""
    reader = Consumer({"bootstrap.servers": servers, "group.id": group, "log_level": 0})
    end_s = time.monotonic() + within_s
    try:
        while (done := await asyncio.to_thread(committed, reader, topic)) < records:
            processes.check()
            if time.monotonic() > end_s:
                raise ProcessFailed(f"{done} of {records} records were read within {within_s:g} s")
            await asyncio.sleep(LOOK_S)
    finally:
        reader.close()


def committed(reader: Consumer, topic: str) -> int:
    """Return the number of records before the group's committed offsets."""
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    try:
        return sum(max(0, found.offset) for found in reader.committed(partitions, 30))
    except KafkaException:  # the group has no coordinator yet
        return 0


def count_records(servers: str, topic: str) -> int:
    """Return the number of different committed ids on the topic."""
    settings = {"bootstrap.servers": servers, "group.id": f"count-{topic}", "enable.auto.commit": False}
    reader = Consumer({**settings, "isolation.level": "read_committed", "log_level": 0})
    reader.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
    ids: list[str | bytes | None] = []
    try:
        while batch := reader.consume(1000, QUIET_S):
            ids += [dict(each.headers() or ())["ce_id"] for each in batch if each.error() is None]
    finally:
        reader.close()
    if len(set(ids)) != len(ids):
        raise ProcessFailed(f"{len(ids) - len(set(ids))} records are there twice")
    return len(ids)
