"""Measures the CPU time of an event by step, in consumer, function and model service, during a backlog."""

from __future__ import annotations

import argparse
import asyncio

import psutil

from benchmarks.lib import charts
from benchmarks.lib.load import Load
from benchmarks.lib.programs import EXACTLY, FAST_BACKLOG, FncastPipeline
from benchmarks.lib.report import Block, Table, chart_folder
from benchmarks.lib.run import Run
from benchmarks.lib.spread import Spread
from benchmarks.lib.steps import SHOWN_STEPS, NoProfile, steps, table
from benchmarks.lib.testbed import Testbed

EVENTS = 4 * FAST_BACKLOG  # enough that the samples end before the backlog does
SETTLE_EVENTS = 5_000  # before the profile begins
SECONDS = 5  # of a profile
BUSY_S = 0.5  # over which the busiest process is found


async def cost_by_step(testbed: Testbed, arguments: argparse.Namespace) -> list[Block | None]:
    """Return a table of the most expensive steps for each process, and a chart for the consumer.

    Raises ProcessFailed, NoEnvironment, NoProfile.
    """
    topic = await testbed.backlog(Load(max(int(EVENTS * arguments.scale), 2 * SETTLE_EVENTS)))
    tables: list[Table] = []
    for name in ("consumer", "functions", "model service"):
        async with testbed.run(FncastPipeline(EXACTLY, testbed.models), topic) as run:
            await run.start_consumers()
            await run.wait(SETTLE_EVENTS)
            try:
                tables.append(await _profile(run, name, testbed))
            except NoProfile as error:
                testbed.failed.append(f"{name}: no profile: {error}")
    if not tables:
        raise NoProfile("; ".join(testbed.failed))
    consumer = {
        str(row[0]): Spread.of([float(row[1])])
        for profile in tables
        if profile.name == "consumer"
        for row in profile.rows[:SHOWN_STEPS]
        if not isinstance(row[1], str | Spread)
    }
    chart = charts.bars(
        chart_folder(arguments.print_only),
        "growth-steps",
        consumer,
        "µs an event",
        list(consumer),
    )
    return [*tables, chart]


async def _profile(run: Run, name: str, testbed: Testbed) -> Table:
    """Return the steps of a process of that name. Raises NoProfile, NoEnvironment."""
    pid = await _busiest(run, name)
    forecasts_before = await asyncio.to_thread(run.meter.length)
    found = await asyncio.to_thread(steps, pid, SECONDS, testbed.folder)
    forecasts = await asyncio.to_thread(run.meter.length) - forecasts_before
    if forecasts <= 0:
        raise NoProfile("the backlog ended before the profile began")
    return table(found, forecasts, "event", name)


async def _busiest(run: Run, name: str) -> int:
    """Return the pid of the process with that name, or of its child, that uses most CPU now. Raises NoProfile."""
    family = run.processes.family(name)
    if not family:
        raise NoProfile(f"no process named {name!r} is running")
    before_s = {process.pid: _used_s(process) for process in family}
    await asyncio.sleep(BUSY_S)
    busiest = max(family, key=lambda process: _used_s(process) - before_s[process.pid])
    return int(busiest.pid)


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
