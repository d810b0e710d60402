"""Where the microseconds of an event go, in consumer, function and model service, while a backlog is worked off."""

from __future__ import annotations

import argparse
import asyncio

import psutil

from benchmarks.lib import plot
from benchmarks.lib.load import Load
from benchmarks.lib.programs import EXACTLY, FAST_EVENTS, Fncast
from benchmarks.lib.report import Block, Table, plots
from benchmarks.lib.run import Run
from benchmarks.lib.spread import Spread
from benchmarks.lib.steps import SHOWN, NoProfile, steps, table
from benchmarks.lib.testbed import Stand

EVENTS = 4 * FAST_EVENTS  # so many that the samples end before the backlog does
SETTLE_EVENTS = 5_000
SECONDS = 5
LOOK_S = 0.5


async def cost_by_step(stand: Stand, arguments: argparse.Namespace) -> list[Block | None]:
    """Tables of the costliest steps, and a chart of the consumer's. Raises ProcessFailed, NoEnvironment, NoProfile."""
    topic = await stand.backlog(Load(max(int(EVENTS * arguments.scale), 2 * SETTLE_EVENTS)))
    tables: list[Table] = []
    for name in ("consumer", "functions", "model service"):
        async with stand.run(Fncast(EXACTLY, stand.models), topic) as run:
            await run.start_consumers()
            await run.wait(SETTLE_EVENTS)
            try:
                tables.append(await _profile(run, name, stand))
            except NoProfile as error:
                stand.failed.append(f"{name}: no profile: {error}")
    if not tables:
        raise NoProfile("; ".join(stand.failed))
    consumer = {
        str(row[0]): Spread.of([float(row[1])])
        for table in tables
        if table.name == "consumer"
        for row in table.rows[:SHOWN]
        if not isinstance(row[1], str | Spread)
    }
    chart = plot.bars(
        plots(arguments.print_only), "growth-steps", consumer, "µs an event (logarithmic)", list(consumer)
    )
    return [*tables, chart]


async def _profile(run: Run, name: str, stand: Stand) -> Table:
    """Raises NoProfile, NoEnvironment."""
    pid = await _busiest(run, name)
    begun = await asyncio.to_thread(run.meter.length)
    found = await asyncio.to_thread(steps, pid, SECONDS, stand.folder)
    scored = await asyncio.to_thread(run.meter.length) - begun
    if scored <= 0:
        raise NoProfile("the backlog was done before the profile")
    return table(found, scored, "event", name)


async def _busiest(run: Run, name: str) -> int:
    """The process of that name, or of its children, that works most now. Raises NoProfile."""
    family = run.processes.family(name)
    if not family:
        raise NoProfile(f"no {name} runs")
    before_s = {one.pid: _used_s(one) for one in family}
    await asyncio.sleep(LOOK_S)
    busiest = max(family, key=lambda one: _used_s(one) - before_s[one.pid])
    return int(busiest.pid)


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
