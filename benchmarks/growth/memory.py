"""Measures the memory of the consumer while it processes a million events."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time

from benchmarks.growth.backlog import MIN_EVENTS
from benchmarks.lib import charts, report
from benchmarks.lib.load import Load
from benchmarks.lib.programs import EXACTLY, FncastPipeline
from benchmarks.lib.run import Run
from benchmarks.lib.testbed import Testbed

EVENTS = 1_000_000
SAMPLE_S = 0.25


async def memory(testbed: Testbed, arguments: argparse.Namespace) -> list[report.Block | None]:
    """Return the resident memory of the consumer's process, in one run. Raises WrongForecasts, ProcessFailed."""
    load = Load(max(int(EVENTS * arguments.scale), MIN_EVENTS))
    topic = await testbed.backlog(load)
    samples: list[tuple[float, float]] = []
    async with testbed.run(FncastPipeline(EXACTLY, testbed.models), topic) as run:
        await run.start_consumers()
        await run.wait(1)
        watch = asyncio.create_task(_watch(run, samples))
        await run.wait(load.events)
        watch.cancel()
        result, _ = await run.measure(load.events)
    result.check()
    quarter = max(len(samples) // 4, 1)
    first, last = (
        statistics.median(mb for _, mb in part) for part in (samples[:quarter], samples[-quarter:])
    )
    rows = [
        ("events", float(load.events)),
        ("events/s", result.rate),
        ("largest, MB", max(mb for _, mb in samples)),
        ("median of the first quarter, MB", first),
        ("median of the last quarter, MB", last),
    ]
    chart = charts.lines(
        report.chart_folder(arguments.print_only),
        "growth-memory",
        {"consumer": samples},
        "seconds",
        "resident memory, MB",
        logarithmic="",
    )
    return [report.Table("memory", ("memory of the consumer", "exactly-once"), rows), chart]


async def _watch(run: Run, samples: list[tuple[float, float]]) -> None:
    """Append to `samples` the seconds since the first forecast and the memory in MB."""
    started_s = time.monotonic()
    while True:
        samples.append((time.monotonic() - started_s, run.processes.memory_mb("consumer")))
        await asyncio.sleep(SAMPLE_S)
