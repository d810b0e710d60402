"""Figures about single readings that are measured once: delay, quiet series, restart, memory, rebalance."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.growth.assembly import memory_bytes
from benchmarks.lib import report
from benchmarks.lib.spread import figure, percentile
from benchmarks.lib.testbed import Testbed
from benchmarks.readings import delays, restarts

NamedFigure = tuple[str, float]
MEMORY_SERIES = 2_000
WARM_UPS = 2  # runs before the one whose delay is measured

P50, P99 = "delay at 500 readings/s: p50, ms", "delay at 500 readings/s: p99, ms"
QUIET = "quiet series: latest window behind step and grace, s"
RESTORE = "100,000 series after kill -9: assignment to first forecast, s"
MEMORY = "100,000 series: resident memory of the consumer, MB"
SERIES = "memory of a series beside its name, bytes"
GAP = "longest gap in a partition's output as a consumer leaves or joins, s"


async def _delay(testbed: Testbed) -> list[NamedFigure]:
    # Transactions are slower on a new broker, until its JVM has compiled their code.
    for _ in range(WARM_UPS):
        await testbed.warm_up_by(delays.delays_s(testbed))
    found_s = await delays.delays_s(testbed)
    return [(P50, percentile(found_s, 0.5) * 1000), (P99, percentile(found_s, 0.99) * 1000)]


async def _quiet(testbed: Testbed) -> list[NamedFigure]:
    return [(QUIET, max(await delays.quiet_s(testbed)))]


async def _restart(testbed: Testbed) -> list[NamedFigure]:
    found = await restarts.restart(testbed)
    return [(RESTORE, found.restore_s), (MEMORY, max(found.memory_mb))]


async def _series(_: Testbed) -> list[NamedFigure]:
    return [(SERIES, await asyncio.to_thread(memory_bytes, MEMORY_SERIES))]


async def _gap(testbed: Testbed) -> list[NamedFigure]:
    return [(GAP, max(await restarts.rebalance_gaps_s(testbed)))]


FIGURES: dict[str, Callable[[Testbed], Awaitable[list[NamedFigure]]]] = {
    "delay": _delay,
    "quiet": _quiet,
    "restart": _restart,
    "memory": _series,
    "rebalance": _gap,
}


@dataclass
class ReadingsFigures:
    """The figures of one measurement of FIGURES."""

    name: str
    values: list[NamedFigure] = field(default_factory=list)
    environments: Sequence[str] = ()

    def __str__(self) -> str:
        return ", ".join(f"{name} {figure(value)}" for name, value in self.values)


def table(measured: Sequence[ReadingsFigures]) -> report.Table:
    """Return the table of all figures."""
    rows: list[tuple[report.Cell, ...]] = [pair for each in measured for pair in each.values]
    return report.Table("figures", ("figure", "measured"), rows)
