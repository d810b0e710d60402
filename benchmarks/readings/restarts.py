"""Measures a restart with 100,000 series after kill -9, the memory, and the gap while a consumer leaves or joins."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from benchmarks.lib.load import publish
from benchmarks.lib.processes import Processes
from benchmarks.lib.programs import EXACTLY
from benchmarks.lib.testbed import Testbed
from benchmarks.readings import history, live
from benchmarks.readings.output import AppendedForecast, ForecastReader
from benchmarks.readings.programs import MIN_READINGS, FncastReadings
from benchmarks.readings.progress import wait_until_committed

HOSTS, FIELDS = 10_000, 10
# Steps of most hosts before the kill: enough to find the length of a step, and too few for a forecast.
STEPS_BEFORE_KILL = 10
PROBES = 100  # hosts that get more steps before the kill, so that their next step is forecast
SNAPSHOT_S = 25.0  # until the state of all series is written
PATIENCE_S = 300.0
ASSIGNED = re.compile(r"^(\S+ \S+) INFO .*: assigned ", re.MULTILINE)
SECONDS = 90  # of live readings
CHANGE_EVERY_S = 10  # from a leave to the next join, and back


@dataclass(frozen=True)
class Restart:
    """A restart after a kill. restore_s: from the assignment of partitions to the first forecast.

    memory_mb: resident memory of the consumer in MB, before the kill and after the restart.
    """

    restore_s: float
    memory_mb: tuple[float, float]


async def restart(testbed: Testbed, hosts: int = HOSTS) -> Restart:
    """Kill a consumer with `hosts` * FIELDS series by SIGKILL, and start it again. Raises ProcessFailed."""
    [topic] = await testbed.create_topics("in")
    servers = testbed.broker.bootstrap_servers
    for count, steps, first_step in ((PROBES, MIN_READINGS, 0), (hosts, STEPS_BEFORE_KILL, MIN_READINGS)):
        records = history.backlog(count, steps, fields=FIELDS, first_step=first_step)
        await asyncio.to_thread(publish, servers, topic, records)
    pipeline = FncastReadings(EXACTLY, testbed.models, min_readings=MIN_READINGS + STEPS_BEFORE_KILL + 1)
    async with testbed.run(pipeline, topic) as run:
        programs = pipeline.consumers(servers, run.topics, testbed.folder)
        killed, restarted = Processes(testbed.folder), Processes(testbed.folder)
        output = ForecastReader(servers, run.topics.output)
        try:
            await killed.start(*programs)
            count = PROBES * MIN_READINGS + hosts * STEPS_BEFORE_KILL
            await wait_until_committed(servers, run.topics.group, topic, count, killed.check, PATIENCE_S)
            await asyncio.sleep(SNAPSHOT_S)
            before_mb = killed.memory_mb("consumer")
            for process in killed.family("consumer"):
                process.kill()
            await killed.end()
            next_step = history.backlog(PROBES, 1, fields=FIELDS, first_step=MIN_READINGS + STEPS_BEFORE_KILL)
            await asyncio.to_thread(publish, servers, topic, next_step)
            await restarted.start(*programs)
            [forecast, *_] = await asyncio.to_thread(output.wait, 1, PATIENCE_S, restarted.check)
            after_mb = restarted.memory_mb("consumer")
        finally:
            await killed.end()
            await restarted.end()
            output.close()
        log = (testbed.folder / "consumer.log").read_text()
    assigned_s = datetime.strptime(ASSIGNED.findall(log)[-1], "%Y-%m-%d %H:%M:%S,%f").timestamp()
    return Restart(forecast.appended_s - assigned_s, (before_mb, after_mb))


async def rebalance_gaps_s(testbed: Testbed) -> list[float]:
    """Let one of three consumers leave and join again and again. Raises ProcessFailed.

    Returns the longest gap in a partition's output around each leave and join, ascending.
    """
    [topic] = await testbed.create_topics("in")
    servers = testbed.broker.bootstrap_servers
    start_s = live.now_s()
    await asyncio.to_thread(publish, servers, topic, live.past_records(start_s))
    pipeline = FncastReadings(EXACTLY, testbed.models, consumer_count=3, is_static=False)
    async with testbed.run(pipeline, topic) as run:
        *staying, leaving = pipeline.consumers(servers, run.topics, testbed.folder)
        consumers = [Processes(testbed.folder) for _ in range(3)]
        output = ForecastReader(servers, run.topics.output)
        gaps_s: list[float] = []
        try:
            for processes, program in zip(consumers, [*staying, leaving], strict=True):
                await processes.start(program)
            wanted = live.HOSTS * live.PAST_FORECASTS
            await asyncio.to_thread(output.wait, wanted, PATIENCE_S, consumers[0].check)
            loop = asyncio.get_running_loop()
            until_s = loop.time() + SECONDS
            sending = asyncio.create_task(live.send(servers, topic, start_s, SECONDS))
            is_leaving = True
            await asyncio.to_thread(output.read, CHANGE_EVERY_S)
            while loop.time() < until_s - 2 * CHANGE_EVERY_S:
                await (consumers[2].end() if is_leaving else consumers[2].start(leaving))
                is_leaving = not is_leaving
                gaps_s.append(longest_gap_s(await asyncio.to_thread(output.read, CHANGE_EVERY_S)))
            await sending
        finally:
            for processes in consumers:
                await processes.end()
            output.close()
    return sorted(gaps_s)


def longest_gap_s(forecasts: Sequence[AppendedForecast]) -> float:
    """Return the longest time between consecutive forecasts of a partition; infinite if no partition has two."""
    times_s: defaultdict[int, list[float]] = defaultdict(list)
    for each in forecasts:
        times_s[each.partition].append(each.appended_s)
    pairs = [pair for times in times_s.values() for pair in pairwise(sorted(times))]
    return max((later - earlier for earlier, later in pairs), default=float("inf"))
