"""The CPU time of an event by function, in consumer, function and model service, while a backlog is processed."""

from __future__ import annotations

import argparse
import asyncio

import psutil

from benchmarks.lib.load import Load
from benchmarks.lib.programs import EXACTLY, FAST_EVENTS, Fncast
from benchmarks.lib.run import Run
from benchmarks.lib.steps import NoProfile, steps, table
from benchmarks.lib.testbed import Testbed

EVENTS = 4 * FAST_EVENTS  # enough for the backlog to outlast the profile
SETTLE_EVENTS = 5_000
SECONDS = 5
LOOK_S = 0.5


async def cost_by_step(testbed: Testbed, arguments: argparse.Namespace) -> str:
    """Tables of the most expensive steps. Raises ProcessFailed, NoEnvironment, NoProfile."""
    topic = await testbed.backlog(Load(max(int(EVENTS * arguments.scale), 2 * SETTLE_EVENTS)))
    tables = []
    for name in ("consumer", "functions", "model service"):
        async with testbed.run(Fncast(EXACTLY, testbed.models), topic) as run:
            await run.start_consumers()
            await run.wait(SETTLE_EVENTS)
            try:
                tables.append(await _profile(run, name, testbed))
            except NoProfile as error:
                testbed.failed.append(f"{name}: no profile: {error}")
    if not tables:
        raise NoProfile("; ".join(testbed.failed))
    return "\n\n".join(tables)


async def _profile(run: Run, name: str, testbed: Testbed) -> str:
    """Profile one process for SECONDS and return the table. Raises NoProfile, NoEnvironment."""
    pid = await _busiest(run, name)
    begun = await asyncio.to_thread(run.meter.length)
    found = await asyncio.to_thread(steps, pid, SECONDS, testbed.folder)
    scored = await asyncio.to_thread(run.meter.length) - begun
    if scored <= 0:
        raise NoProfile("the backlog was processed before the profile began")
    return f"The {name}:\n\n{table(found, scored, 'event')}"


async def _busiest(run: Run, name: str) -> int:
    """The process id with the most current CPU time among the processes of that name. Raises NoProfile."""
    family = run.processes.family(name)
    if not family:
        raise NoProfile(f"no process named {name!r} is running")
    before_s = {one.pid: _used_s(one) for one in family}
    await asyncio.sleep(LOOK_S)
    busiest = max(family, key=lambda one: _used_s(one) - before_s[one.pid])
    return int(busiest.pid)


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
