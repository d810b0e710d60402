"""Measures forecasts from single readings on a real broker: Telegraf records, windows of 48 steps.

For the rates, each pipeline reads a backlog of records with two readings each. Pipelines that are compared take turns.
CPU is counted from the first commit on.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.lib import charts, machine, pages, report
from benchmarks.lib.arguments import (
    add_rounds_argument,
    add_testbed_arguments,
    apply_only,
    is_chosen,
    measurement_parser,
    positive_number,
)
from benchmarks.lib.load import publish
from benchmarks.lib.pipeline_result import PipelineResult
from benchmarks.lib.programs import EXACTLY
from benchmarks.lib.rounds import failures, rounds_text, run_rounds
from benchmarks.lib.spread import Spread, figure
from benchmarks.lib.testbed import Testbed, run_on_testbed
from benchmarks.readings import figures, history, rates
from benchmarks.readings.programs import MIN_READINGS, FncastReadings, OneProcess, QuixWindows

PROGRAM = "readings"
RARE, EACH = "every 60th step", "each reading"  # the loads, by how often a series is forecast
HOSTS = {RARE: 5_000, EACH: 250}
STEPS = {RARE: 120, EACH: 300}
MAX_S = 60.0  # for one run


@dataclass
class RateRow(PipelineResult):
    """The runs of one pipeline. load: the backlog that it reads."""

    load: str
    runs: list[rates.Rate] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.pipeline.name}, {self.load}"

    def rate(self) -> Spread:
        return Spread.of([run.per_s for run in self.runs])

    def cpu_us(self) -> Spread:
        return Spread.of([run.total_cpu_us for run in self.runs])

    def ratio(self, other: RateRow) -> Spread:
        """Return the ratio to another pipeline's rate, round by round."""
        return Spread.of(
            [mine.per_s / theirs.per_s for mine, theirs in zip(self.runs, other.runs, strict=False)]
        )


def rows(models: Path, model: Path) -> list[RateRow]:
    """Return a row for each pipeline. Pipelines that are compared with each other run one after the other."""
    return [
        RateRow(QuixWindows(), RARE),
        RateRow(FncastReadings(EXACTLY, models, every=60), RARE),
        RateRow(FncastReadings(EXACTLY, models), EACH),
        RateRow(OneProcess(model), EACH),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = measurement_parser(PROGRAM, __doc__, add_testbed_arguments)
    add_rounds_argument(parser)
    parser.add_argument(
        "--scale", type=positive_number, default=1.0, help="factor for the steps of all backlogs (default: 1)"
    )
    arguments = parser.parse_args(argv)
    apply_only(parser, arguments, [*(row.name for row in rows(Path(), Path())), *figures.FIGURES])
    return run_on_testbed(arguments, PROGRAM, lambda testbed: measure(testbed, arguments))


async def measure(testbed: Testbed, arguments: argparse.Namespace) -> int:
    """Measure, print and write the result. Returns the exit code."""
    chosen = [row for row in rows(testbed.models, testbed.model) if is_chosen(row.name, arguments.only)]
    single = [figures.ReadingsFigures(name) for name in figures.FIGURES if is_chosen(name, arguments.only)]
    failed = await _measure_rates(testbed, chosen, arguments) if chosen else []

    async def measure_figure(each: figures.ReadingsFigures) -> None:
        each.values += await figures.FIGURES[each.name](testbed)

    failed += await run_rounds(single, 1, measure_figure, str)
    blocks: list[report.Block | None] = [
        _table(chosen),
        _ratios(chosen),
        figures.table(single),
        failures(failed),
    ]
    is_measured = any(row.runs for row in chosen) or any(each.values for each in single)
    if arguments.print_only or not is_measured:
        print(report.markdown(blocks))
    else:
        load = f"load average {os.getloadavg()[1]:.0f}"
        facts = machine.facts(
            testbed.broker.name, f"{rounds_text(arguments.rounds)}, scale {arguments.scale:g}", load
        )
        report.save(PROGRAM, facts, [*blocks, _chart(chosen)])
        pages.generate()
    return 1 if failed else 0


async def _measure_rates(testbed: Testbed, chosen: list[RateRow], arguments: argparse.Namespace) -> list[str]:
    """Measure the rates of the rows. Returns the names of those that failed at least once."""
    loads = dict.fromkeys(row.load for row in chosen)
    backlogs = {load: await _backlog(testbed, load, arguments.scale) for load in loads}
    await testbed.warm_up(arguments.scale)

    async def measure_row(row: RateRow) -> None:
        topic, records = backlogs[row.load]
        row.runs.append(await rates.measure(testbed, row.pipeline, topic, records, MAX_S))

    return await run_rounds(chosen, arguments.rounds, measure_row, _line)


async def _backlog(testbed: Testbed, load: str, scale: float) -> tuple[str, int]:
    """Publish the backlog of a load. Returns its topic and its number of records."""
    [topic] = await testbed.create_topics("in")
    steps = max(MIN_READINGS + 6, round(STEPS[load] * scale))
    records = history.backlog(HOSTS[load], steps)
    await asyncio.to_thread(publish, testbed.broker.bootstrap_servers, topic, records)
    return topic, HOSTS[load] * steps


def _line(row: RateRow) -> str:
    run = row.runs[-1]
    parts = ", ".join(f"{name} {us:.1f}" for name, us in run.cpu_us.items())
    return (
        f"{row.name}: {figure(run.per_s)} readings/s of {run.readings:,}; {run.forecasts:,} forecasts;"
        f" CPU µs a reading: {parts}; load average {os.getloadavg()[0]:.0f}"
    )


def _table(measured: list[RateRow]) -> report.Table:
    heads = ("pipeline", "readings/s", "CPU, µs a reading", "forecasts a run")
    cells: list[tuple[report.Cell, ...]] = [
        (row.name, row.rate(), row.cpu_us(), float(row.runs[0].forecasts)) for row in measured if row.runs
    ]
    return report.Table("rates", heads, cells)


def _chart(measured: list[RateRow]) -> report.Chart | None:
    spreads = {row.name: row.rate() for row in measured if row.runs}
    ours = [row.name for row in measured if isinstance(row.pipeline, FncastReadings)]
    return charts.bars(report.CHARTS, "readings", spreads, "readings a second", ours)


def _ratios(measured: list[RateRow]) -> report.Table:
    """Compare fncast with the other pipeline on the same backlog, round by round."""
    cells: list[tuple[report.Cell, ...]] = []
    for load in (RARE, EACH):
        of_load = [row for row in measured if row.load == load and row.runs]
        ours = [row for row in of_load if isinstance(row.pipeline, FncastReadings)]
        others = [row for row in of_load if not isinstance(row.pipeline, FncastReadings)]
        cells += [(row.name, other.pipeline.name, row.ratio(other)) for row in ours for other in others]
    return report.Table("ratios", ("pipeline", "beside", "times as many readings/s"), cells)


if __name__ == "__main__":
    sys.exit(main())
