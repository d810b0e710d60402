"""Measures the delay of forecasts of live readings, and that of the last window of a quiet series."""

from __future__ import annotations

import asyncio
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from benchmarks.delay.reader import ArrivalTimes
from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.load import publish
from benchmarks.lib.programs import EXACTLY, program
from benchmarks.lib.testbed import Testbed
from benchmarks.readings import history, live
from benchmarks.readings.output import ForecastReader
from benchmarks.readings.programs import MIN_READINGS, FncastReadings

SECONDS, SKIPPED_S = 20, 3  # of live readings; the first of them do not count
READER_LAG_S = 1.0  # until the reader process has the last forecasts, too
PATIENCE_S = 90.0
QUIET_STEP_S, GRACE_S, QUIET_HOSTS = 2, 1, 20


async def delays_s(testbed: Testbed) -> list[float]:
    """Return the delays of live readings, from their append until a read-committed reader has the forecast, ascending.

    Raises ProcessFailed.
    """
    [topic] = await testbed.create_topics("in")
    servers = testbed.broker.bootstrap_servers
    start_s = live.now_s()
    await asyncio.to_thread(publish, servers, topic, live.past_records(start_s))
    async with testbed.run(FncastReadings(EXACTLY, testbed.models), topic) as run:
        await run.start_consumers()
        output = ForecastReader(servers, run.topics.output)
        try:
            wanted = live.HOSTS * live.PAST_FORECASTS
            await asyncio.to_thread(output.wait, wanted, PATIENCE_S, run.processes.check)
            seen_file = testbed.folder / f"{topic}-seen"
            words = ("-m", "benchmarks.delay.reader", servers, run.topics.output, PARTITIONS, seen_file)
            await run.processes.start(program("reader", sys.executable, *words))
            await live.send(servers, topic, start_s, SECONDS)
            count = live.HOSTS * SECONDS
            forecasts = await asyncio.to_thread(output.wait, count, PATIENCE_S, run.processes.check)
            await asyncio.sleep(READER_LAG_S)
        finally:
            output.close()
        await run.processes.end()
        arrivals = ArrivalTimes(seen_file)
    appended_s = await asyncio.to_thread(_append_times_s, servers, topic)
    return sorted(
        arrivals.at(each.partition, each.offset) - appended_s[each.cause]
        for each in forecasts
        if each.cause in appended_s and live.window_end_s(each.cause) >= start_s + SKIPPED_S
    )


def _append_times_s(servers: str, topic: str) -> dict[str, float]:
    """Return when each reading was appended, in seconds since 1970, by the id of the window that it completes."""
    reader = Consumer({"bootstrap.servers": servers, "group.id": f"read-{topic}", "log_level": 0})
    reader.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
    found = {}
    try:
        while batch := reader.consume(1000, 3.0):
            for each in batch:
                if each.error() is None:
                    host, at_s = history.host_and_time(each.value() or b"")
                    found[live.window_id(host, at_s)] = each.timestamp()[1] / 1000
    finally:
        reader.close()
    return found


async def quiet_s(testbed: Testbed) -> list[float]:
    """Return how late the last window of each series is published if no new readings arrive, ascending.

    A delay begins when the last step has ended and its grace is over. Raises ProcessFailed.
    """
    [topic] = await testbed.create_topics("in")
    servers = testbed.broker.bootstrap_servers
    windows = f'step = "{QUIET_STEP_S}s"\naggregate = "mean"\ngrace_s = {GRACE_S}'
    pipeline = FncastReadings(EXACTLY, testbed.models, window_settings=windows)
    async with testbed.run(pipeline, topic) as run:
        await run.start_consumers()
        output = ForecastReader(servers, run.topics.output)
        try:
            last_s = live.now_s() // QUIET_STEP_S * QUIET_STEP_S
            first_s = last_s - MIN_READINGS * QUIET_STEP_S
            records = history.backlog(
                QUIET_HOSTS, MIN_READINGS + 1, fields=1, step_s=QUIET_STEP_S, start_s=first_s
            )
            await asyncio.to_thread(publish, servers, topic, records)
            # A series has two windows: one when its last step begins, one when that step closes.
            wanted = 2 * QUIET_HOSTS
            forecasts = await asyncio.to_thread(output.wait, wanted, PATIENCE_S, run.processes.check)
        finally:
            output.close()
    end_s = last_s + QUIET_STEP_S
    closed = [each for each in forecasts if live.window_end_s(each.cause) == end_s]
    return sorted(each.appended_s - end_s - GRACE_S for each in closed)
