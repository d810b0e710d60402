"""Measures the throughput of fncast with different settings."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping

from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.load import Load
from benchmarks.lib.loader import Loader
from benchmarks.lib.programs import FncastPipeline
from benchmarks.lib.rounds import reason
from benchmarks.lib.spread import Spread, figure
from benchmarks.lib.testbed import Testbed

WARM_UP_EVENTS = 1_000
MIN_EVENTS = 1_000  # fewer give no stable rate


async def rates(
    testbed: Testbed,
    arguments: argparse.Namespace,
    settings: Mapping[str, tuple[FncastPipeline, Load, int]],
    steady: bool = False,
) -> dict[str, Spread]:
    """Return events a second by the setting's name. Each round measures all settings.

    settings: by name, the pipeline, the load and the number of partitions. steady: start the load once all consumers
    have joined, instead of from a backlog.
    A setting that fails is added to `testbed.failed`; its rate is NaN if all its rounds failed. Raises the last
    exception if all settings failed.
    """

    async def measure(pipeline: FncastPipeline, load: Load, partitions: int) -> float:
        if steady:
            return await steady_rate_of(testbed, pipeline, load)
        return await rate_of(testbed, pipeline, load, partitions)

    found: dict[str, list[float]] = {name: [] for name in settings}
    failure: Exception | None = None
    for number in range(arguments.rounds):
        for name, setting in settings.items():
            try:
                rate = await measure(*setting)
            except Exception as error:
                failure, line = error, f"{name}: {reason(error)}"
                testbed.failed.append(line)
            else:
                found[name].append(rate)
                line = f"{name}: {figure(rate)} events/s"
            print(f"round {number + 1}: {line}", file=sys.stderr, flush=True)
    if failure is not None and not any(found.values()):
        raise failure
    return {name: Spread.of(values or [math.nan]) for name, values in found.items()}


async def rate_of(
    testbed: Testbed, pipeline: FncastPipeline, load: Load, partitions: int = PARTITIONS
) -> float:
    """Return events a second from a backlog. Raises WrongForecasts, ProcessFailed."""
    topic = await testbed.backlog(load, partitions)
    async with testbed.run(pipeline, topic, partitions) as run:
        await run.start_consumers()
        result, _ = await run.measure(load.events)
    result.check()
    return result.rate


async def steady_rate_of(testbed: Testbed, pipeline: FncastPipeline, load: Load) -> float:
    """Return events a second from the first event published to the last commit. All consumers have joined before.

    Raises WrongForecasts, ProcessFailed.
    """
    [topic] = await testbed.create_topics("live")
    servers = testbed.broker.bootstrap_servers
    async with testbed.run(pipeline, topic) as run:
        await run.start_consumers()
        loader = Loader(servers, topic, run)
        await run.wait_for_members(pipeline.consumer_count)
        await loader.offer(WARM_UP_EVENTS)
        rate = load.events / await loader.offer(load.events)
        result, _ = await run.measure(loader.offered)
    await testbed.delete_topics(topic)
    result.check()
    return rate
