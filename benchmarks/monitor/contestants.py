"""The programs whose rates are measured: the monitor, `fncast detect`, and the loops that they are compared with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.lib.load import publish_to_topics
from benchmarks.lib.spread import Spread
from benchmarks.lib.testbed import Testbed
from benchmarks.monitor import decoding, files
from benchmarks.monitor.load import MonitorLoad, create_topics
from benchmarks.monitor.program import FncastMonitor
from benchmarks.readings import rates
from fncast.monitor.anomalies.detector import DEFAULT_MIN_HISTORY

MONITOR, DECODING = "fncast monitor, a backlog", "loop that decodes the same JSON"
LONG, WIDE = "fncast detect, one series", "fncast detect, 20 series"
COPY_LONG, COPY_WIDE = "loop over the same CSV, one series", "loop over the same CSV, 20 series"
COMPARED_WITH = {MONITOR: DECODING, LONG: COPY_LONG, WIDE: COPY_WIDE}

SERIES, STEPS = 200, 250  # of the backlog; a step is a reading of each series
FILE_READINGS, COLUMNS = 200_000, 20  # of a CSV file; series of the wide file
MAX_S = 60.0  # for the backlog


@dataclass
class MonitorContestant:
    """A program and its runs. measure: runs it once."""

    name: str
    measure: Callable[[], Awaitable[rates.Rate]]
    runs: list[rates.Rate] = field(default_factory=list)
    environments: Sequence[str] = ()

    def rate(self) -> Spread:
        return Spread.of([run.per_s for run in self.runs])

    def cpu_us(self) -> Spread:
        return Spread.of([run.total_cpu_us for run in self.runs])

    def cpu_ratio(self, other: MonitorContestant) -> Spread:
        """Return how many times as much CPU a reading takes as in the other program, round by round."""
        pairs = zip(self.runs, other.runs, strict=False)
        return Spread.of([mine.total_cpu_us / theirs.total_cpu_us for mine, theirs in pairs])


async def backlog(testbed: Testbed, scale: float) -> list[MonitorContestant]:
    """Publish a backlog. Returns the monitor, and the loop that decodes the same records."""
    windows, forecasts, accuracy = await create_topics(testbed)
    servers, steps = testbed.broker.bootstrap_servers, max(2, round(STEPS * scale))
    readings = SERIES * steps
    load = MonitorLoad(SERIES, steps, (windows, forecasts))
    await asyncio.to_thread(publish_to_topics, servers, load.records(range(steps)))
    monitor = FncastMonitor(forecasts, accuracy, DEFAULT_MIN_HISTORY)
    return [
        MonitorContestant(
            MONITOR, lambda: rates.measure(testbed, monitor, windows, readings, MAX_S, fields=1)
        ),
        MonitorContestant(
            DECODING, lambda: asyncio.to_thread(decoding.decode, servers, (windows, forecasts), readings)
        ),
    ]


def csv_files(testbed: Testbed, scale: float) -> list[MonitorContestant]:
    """Write a file with one series and one with COLUMNS series. Returns the programs that read them."""
    found = []
    for name, series in ((LONG, 1), (WIDE, COLUMNS)):
        file = testbed.folder / f"{series}.csv"
        steps = max(100, round(FILE_READINGS * scale / series))
        files.write(file, series, steps)
        for program, run in ((name, files.detect), (COMPARED_WITH[name], files.copy)):
            found.append(MonitorContestant(program, _in_thread(run, file, series * steps)))
    return found


def _in_thread(run: Callable[..., rates.Rate], *words: object) -> Callable[[], Awaitable[rates.Rate]]:
    return lambda: asyncio.to_thread(run, *words)
