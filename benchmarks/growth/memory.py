"""The memory of the consumer while it processes a million events."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time

from benchmarks.growth.backlog import MIN_EVENTS, check
from benchmarks.lib import plot, report
from benchmarks.lib.load import Load
from benchmarks.lib.programs import EXACTLY, Fncast
from benchmarks.lib.run import Run
from benchmarks.lib.spread import figure
from benchmarks.lib.testbed import Testbed

EVENTS = 1_000_000
SAMPLE_S = 0.25
MB = 1e6


async def memory(testbed: Testbed, arguments: argparse.Namespace) -> str:
    """A table of the consumer's resident memory over one run. Raises WrongForecasts, ProcessFailed."""
    load = Load(max(int(EVENTS * arguments.scale), MIN_EVENTS))
    topic = await testbed.backlog(load)
    samples: list[tuple[float, float]] = []
    async with testbed.run(Fncast(EXACTLY, testbed.models), topic) as run:
        await run.start_consumers()
        await run.wait(1)
        watch = asyncio.create_task(_watch(run, samples))
        await run.wait(load.events)
        watch.cancel()
        measured, _ = await run.measure(load.events)
    check(measured)
    quarter = max(len(samples) // 4, 1)
    first, last = (
        statistics.median(mb for _, mb in part) for part in (samples[:quarter], samples[-quarter:])
    )
    rows = [
        ("events", f"{load.events:,}"),
        ("events/s", figure(measured.rate)),
        ("largest, MB", figure(max(mb for _, mb in samples))),
        ("median of the first quarter, MB", figure(first)),
        ("median of the last quarter, MB", figure(last)),
    ]
    shown = plot.lines(
        report.plots(arguments.print_only),
        "growth-memory",
        {"consumer": samples},
        "seconds",
        "resident memory, MB",
        logarithmic="",
    )
    return f"{report.table(('memory of the consumer', 'exactly-once'), rows)}\n\n{shown}"


async def _watch(run: Run, samples: list[tuple[float, float]]) -> None:
    """Append (seconds since the start, MB) to `samples` until cancelled."""
    started_s = time.monotonic()
    while True:
        samples.append((time.monotonic() - started_s, run.processes.memory_bytes("consumer") / MB))
        await asyncio.sleep(SAMPLE_S)
