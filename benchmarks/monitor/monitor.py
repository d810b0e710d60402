"""Measures `fncast monitor` on a real broker, and `fncast detect` on CSV files.

A reading is two records: a window event, and the forecast that follows it with 24 steps and nine quantiles. A backlog
of readings shows the rate and the CPU of the monitor. The delay is that of outliers among live readings: from the
sending of the reading until a read-committed reader has the anomaly. Loader and reader share the machine.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.lib import charts, machine, pages, report
from benchmarks.lib.arguments import (
    add_broker_arguments,
    add_rounds_argument,
    apply_only,
    is_chosen,
    measurement_parser,
    positive_number,
)
from benchmarks.lib.rounds import failures, rounds_text, run_rounds
from benchmarks.lib.spread import Spread, figure, percentile
from benchmarks.lib.testbed import Testbed, run_on_testbed
from benchmarks.monitor import contestants, delay

PROGRAM = "monitor"
P50, P99 = "p50 of the delay, s", "p99 of the delay, s"
FOUND, OTHER, CPU = "outliers found, share", "other anomalies", "CPU of the monitor, µs a reading"


@dataclass
class DelayRuns:
    """The rounds at one rate of live readings."""

    rate: int
    runs: list[delay.Delays] = field(default_factory=list)
    environments: Sequence[str] = ()

    @property
    def name(self) -> str:
        return f"anomalies at {self.rate:,} readings/s"


def main(argv: Sequence[str] | None = None) -> int:
    parser = measurement_parser(PROGRAM, __doc__, add_broker_arguments)
    add_rounds_argument(parser)
    parser.add_argument(
        "--seconds", type=positive_number, default=25.0, help="of live readings (default: 25)"
    )
    parser.add_argument(
        "--scale", type=positive_number, default=1.0, help="factor for the backlog and the files (default: 1)"
    )
    arguments = parser.parse_args(argv)
    names = [
        *contestants.COMPARED_WITH,
        *contestants.COMPARED_WITH.values(),
        *(each.name for each in map(DelayRuns, delay.RATES)),
    ]
    apply_only(parser, arguments, names)
    return run_on_testbed(arguments, PROGRAM, lambda testbed: _measure(testbed, arguments))


async def _measure(testbed: Testbed, arguments: argparse.Namespace) -> int:
    """Measure, print and write the result. Returns the exit code."""
    everything = [
        *await contestants.backlog(testbed, arguments.scale),
        *contestants.csv_files(testbed, arguments.scale),
    ]
    chosen = [each for each in everything if is_chosen(each.name, arguments.only)]

    loads: list[float] = []

    async def measure(contestant: contestants.MonitorContestant) -> None:
        contestant.runs.append(await contestant.measure())
        loads.append(os.getloadavg()[0])

    async def measure_delay(delays: DelayRuns) -> None:
        delays.runs.append(await delay.measure(testbed, delays.rate, arguments.seconds))
        loads.append(os.getloadavg()[0])

    failed = await run_rounds(chosen, arguments.rounds, measure, _line)
    live = [each for each in map(DelayRuns, delay.RATES) if is_chosen(each.name, arguments.only)]
    failed += await run_rounds(live, arguments.rounds, measure_delay, _delay_line)
    rates = {each.name: each.rate() for each in chosen if each.runs}
    blocks: list[report.Block | None] = [
        rates_table(chosen),
        ratios_table(chosen),
        delays_table(live),
        rates_chart(report.chart_folder(arguments.print_only), rates),
        failures(failed),
    ]
    if arguments.print_only or not loads:
        print(report.markdown(blocks))
    else:
        setup = f"{rounds_text(arguments.rounds)}, scale {arguments.scale:g}, {arguments.seconds:g} s of live readings"
        load = f"load average {min(loads):.0f} to {max(loads):.0f}"
        report.save(PROGRAM, machine.facts(testbed.broker.name, setup, load), blocks)
        pages.generate()
    return 1 if failed else 0


def rates_table(measured: Sequence[contestants.MonitorContestant]) -> report.Table:
    rows: list[tuple[report.Cell, ...]] = [
        (each.name, each.rate(), each.cpu_us(), float(each.runs[-1].readings))
        for each in measured
        if each.runs
    ]
    return report.Table("rates", ("program", "readings/s", "CPU, µs a reading", "readings"), rows)


def rates_chart(folder: Path | None, rates: Mapping[str, Spread]) -> report.Chart | None:
    """Draw the readings a second of each program, by its name. folder: None draws nothing."""
    ours = [name for name in rates if name.startswith("fncast")]
    return charts.bars(folder, "monitor", rates, "readings a second", ours)


def ratios_table(measured: Sequence[contestants.MonitorContestant]) -> report.Table:
    """Compare the CPU of a reading with that of the loop for the same input, round by round."""
    by_name = {each.name: each for each in measured if each.runs}
    rows: list[tuple[report.Cell, ...]] = [
        (name, beside, by_name[name].cpu_ratio(by_name[beside]))
        for name, beside in contestants.COMPARED_WITH.items()
        if name in by_name and beside in by_name
    ]
    return report.Table("ratios", ("program", "beside", "times as much CPU a reading"), rows)


def delays_table(measured: Sequence[DelayRuns]) -> report.Table:
    rows: list[tuple[report.Cell, ...]] = [
        (
            each.name,
            Spread.of([percentile(run.delays_s, 0.5) for run in each.runs]),
            Spread.of([percentile(run.delays_s, 0.99) for run in each.runs]),
            Spread.of([len(run.delays_s) / run.outliers for run in each.runs]),
            Spread.of([float(run.other_anomalies) for run in each.runs]),
            Spread.of([run.cpu_us for run in each.runs]),
        )
        for each in measured
        if each.runs
    ]
    return report.Table("delays", ("readings", P50, P99, FOUND, OTHER, CPU), rows)


def _line(contestant: contestants.MonitorContestant) -> str:
    run = contestant.runs[-1]
    return (
        f"{contestant.name}: {figure(run.per_s)} readings/s of {run.readings:,};"
        f" CPU {run.total_cpu_us:.1f} µs a reading; load average {os.getloadavg()[0]:.0f}"
    )


def _delay_line(delays: DelayRuns) -> str:
    run = delays.runs[-1]
    p50, p99 = (figure(percentile(run.delays_s, share)) for share in (0.5, 0.99))
    return (
        f"{delays.name}: p50 {p50} s, p99 {p99} s; {len(run.delays_s)} of {run.outliers} outliers found,"
        f" {run.other_anomalies} other anomalies; CPU {run.cpu_us:.0f} µs a reading;"
        f" load average {os.getloadavg()[0]:.0f}"
    )


if __name__ == "__main__":
    sys.exit(main())
