"""One setting of fncast, measured by a backlog."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping

from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.load import Load
from benchmarks.lib.loader import Loader
from benchmarks.lib.meter import Measured, WrongForecasts
from benchmarks.lib.programs import Fncast
from benchmarks.lib.rounds import reason
from benchmarks.lib.spread import Spread, figure
from benchmarks.lib.testbed import Stand

WARM_UP_EVENTS = 1_000
LEAST_EVENTS = 1_000  # fewer tell nothing


async def rates(
    stand: Stand,
    arguments: argparse.Namespace,
    settings: Mapping[str, tuple[Fncast, Load, int]],
    steady: bool = False,
) -> dict[str, Spread]:
    """Events a second, by the setting's name; settings take turns. A setting: pipeline, load, partitions.

    steady: not from a backlog that waits, but once all consumers are there.

    One that fails costs the others nothing: it stands in `stand.failed`, and has NaN where it never had a rate. Raises
    what the last failed by if none had one.
    """
    found: dict[str, list[float]] = {name: [] for name in settings}
    failure: Exception | None = None
    for number in range(arguments.rounds):
        for name, (pipeline, load, partitions) in settings.items():
            try:
                if steady:
                    rate = await steady_rate_of(stand, pipeline, load)
                else:
                    rate = await rate_of(stand, pipeline, load, partitions)
            except Exception as error:
                failure, told = error, f"{name}: {reason(error)}"
                stand.failed.append(told)
            else:
                found[name].append(rate)
                told = f"{name}: {figure(rate)} events/s"
            print(f"round {number + 1}: {told}", file=sys.stderr, flush=True)
    if failure is not None and not any(found.values()):
        raise failure
    return {name: Spread.of(values or [math.nan]) for name, values in found.items()}


async def rate_of(stand: Stand, pipeline: Fncast, load: Load, partitions: int = PARTITIONS) -> float:
    """Events a second from a backlog. Raises WrongForecasts, ProcessFailed."""
    topic = await stand.backlog(load, partitions)
    async with stand.run(pipeline, topic, partitions) as run:
        await run.start_consumers()
        measured, _ = await run.measured(load.events)
    check(measured)
    return measured.rate


async def steady_rate_of(stand: Stand, pipeline: Fncast, load: Load) -> float:
    """Events a second once all consumers are there: until the last of the load is committed.

    Raises WrongForecasts, ProcessFailed.
    """
    [topic] = await stand.make_topics("live")
    servers = stand.broker.bootstrap_servers
    async with stand.run(pipeline, topic) as run:
        await run.start_consumers()
        loader = Loader(servers, topic, run)
        await run.wait_for_members(pipeline.consumer_count)
        await loader.offer(WARM_UP_EVENTS)
        rate = load.events / await loader.offer(load.events)
        measured, _ = await run.measured(loader.offered)
    await stand.delete_topics(topic)
    check(measured)
    return rate


def check(measured: Measured) -> None:
    """Raises WrongForecasts."""
    if measured.disordered or not measured.is_complete:
        raise WrongForecasts(
            f"of {measured.events} events {measured.lost} lost, {measured.doubled} doubled,"
            f" {measured.disordered} out of order"
        )
