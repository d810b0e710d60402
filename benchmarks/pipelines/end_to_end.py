"""The whole path, Kafka to Kafka: fncast, its peers and the limit, side by side in one run.

Each pipeline works off a backlog: fncast and the limit one of 100,000 windows, the peers one that takes them 10 to
20 s. Pipelines take turns; each run has an output topic and processes of its own. All forecasts are read back: one
that is lost, doubled or out of order fails the benchmark (out of order only where the pipeline means to keep it).

About 3 minutes a round; --quick (fncast, the plain loop and the limit, exactly-once) takes less than two in all.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.lib import machine, pages, plot, report
from benchmarks.lib.arguments import (
    add_only_argument,
    add_rounds_argument,
    add_stand_arguments,
    apply_only,
    is_chosen,
    positive,
)
from benchmarks.lib.meter import Measured
from benchmarks.lib.programs import AT_LEAST, EXACTLY, Fncast, Limit, Pipeline
from benchmarks.lib.rounds import failures, take_turns
from benchmarks.lib.spread import Spread, figure
from benchmarks.lib.testbed import Stand, on_stand
from benchmarks.pipelines.peer_programs import peers, plain_loop

PROGRAM = "end_to_end"
ROUNDS, QUICK_ROUNDS = 3, 2
QUICK_SCALE = 0.3
TENSOR_CALLS = {"routes.forecast": {"url": "fn:fncast/forecast", "encoding": "graphpipe"}}


@dataclass
class Standing:
    """What a pipeline did in all its runs. cpu_us: an event's, by kind of process."""

    pipeline: Pipeline
    runs: list[Measured] = field(default_factory=list)
    cpu_us: list[dict[str, float]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.pipeline.name}, {self.pipeline.delivery}"

    @property
    def environments(self) -> Sequence[str]:
        return self.pipeline.environments

    @property
    def is_right(self) -> bool:
        ordered = not (self.pipeline.keeps_order and any(run.disordered for run in self.runs))
        return ordered and all(run.is_complete for run in self.runs)

    def rate(self) -> Spread:
        return Spread.of([run.rate for run in self.runs])

    def cpu_of(self, process: str) -> float:
        """The median of the rounds that have it."""
        known = [us for one in self.cpu_us if not math.isnan(us := one.get(process, 0.0))]
        return Spread.of(known or [math.nan]).median

    def ratio(self, other: Standing) -> Spread:
        """To another's rate in the same round, as far as both have one."""
        pairs = zip(self.runs, other.runs, strict=False)
        return Spread.of([mine.rate / theirs.rate for mine, theirs in pairs])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{PROGRAM}",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_stand_arguments(parser)
    add_only_argument(parser)
    add_rounds_argument(parser, default=None, text=f"turns (default: {ROUNDS}; {QUICK_ROUNDS} with --quick)")
    parser.add_argument(
        "--scale", type=positive, help=f"of all backlogs (default: 1; {QUICK_SCALE:g} with --quick)"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="fncast, plain loop and limit, exactly-once; only prints",
    )
    arguments = parser.parse_args(argv)
    known = _pipelines(Path(), Path(), arguments.quick)
    apply_only(parser, arguments, (Standing(one).name for one in known))
    arguments.rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    arguments.scale = arguments.scale or (QUICK_SCALE if arguments.quick else 1.0)
    return on_stand(arguments, PROGRAM, lambda stand: _compare(stand, arguments))


async def _compare(stand: Stand, arguments: argparse.Namespace) -> int:
    """Measure, print, write; the exit code."""
    known = [Standing(one) for one in _pipelines(stand.models, stand.model, arguments.quick)]
    everyone = [one for one in known if is_chosen(one.name, arguments.only)]
    await stand.warm_up(arguments.scale)
    failed = await take_turns(
        everyone, arguments.rounds, lambda standing: _turn(stand, standing, arguments.scale), _line
    )
    standings = [standing for standing in everyone if standing.runs]
    blocks: list[report.Block | None] = [_table(standings), _ratios(standings), failures(failed)]
    if arguments.quick or arguments.print_only or not standings:
        print(report.text(blocks))
    else:
        rates = {standing.name: standing.rate() for standing in standings}
        ours = [name for name in rates if name.startswith(Fncast.name)]
        shown = plot.bars(report.PLOTS, "end-to-end", rates, "events a second (logarithmic)", ours)
        facts = machine.facts(stand.broker.name, f"{arguments.rounds} rounds, scale {arguments.scale:g}")
        report.save(PROGRAM, facts, [*blocks, shown])
        pages.generate()
    wrong = [standing.name for standing in standings if not standing.is_right]
    if wrong:
        print(f"{PROGRAM}: lost, doubled or disordered events: {'; '.join(wrong)}", file=sys.stderr)
    if failed:
        print(f"{PROGRAM}: did not end every run: {'; '.join(failed)}", file=sys.stderr)
    return 1 if wrong or failed else 0


def _pipelines(models: Path, model: Path, quick: bool) -> list[Pipeline]:
    if quick:
        return [
            Fncast(EXACTLY, models),
            plain_loop(model, EXACTLY),
            Limit(EXACTLY, model),
        ]
    # Those that are compared most stand side by side.
    return [
        *peers(model),
        Limit(EXACTLY, model),
        Fncast(EXACTLY, models),
        Fncast(EXACTLY, models, settings=TENSOR_CALLS, name="fncast, tensor calls"),
        Fncast(AT_LEAST, models),
        Limit(AT_LEAST, model),
    ]


async def _turn(stand: Stand, standing: Standing, scale: float) -> None:
    """Raises ProcessFailed, NoEnvironment."""
    measured, cpu_us = await stand.work_off(standing.pipeline, scale)
    standing.runs.append(measured)
    standing.cpu_us.append(cpu_us)


def _line(standing: Standing) -> str:
    run = standing.runs[-1]
    return (
        f"{standing.name}: {figure(run.rate)} events/s; of {run.events:,} lost {run.lost},"
        f" doubled {run.doubled}, out of order {run.disordered}"
    )


def _table(standings: list[Standing]) -> report.Table:
    heads = (
        "pipeline",
        "events/s",
        "consumer, µs/event",
        "functions, µs/event",
        "model service, µs/event",
        "broker, µs/event",
        "events a run",
        "lost",
        "doubled",
        "out of order",
    )
    parts, faults = ("consumer", "functions", "model service", "broker"), ("lost", "doubled", "disordered")
    rows: list[tuple[report.Cell, ...]] = [
        (
            standing.name,
            standing.rate(),
            *(standing.cpu_of(part) for part in parts),
            float(standing.runs[0].events),
            *(float(sum(getattr(run, fault) for run in standing.runs)) for fault in faults),
        )
        for standing in standings
    ]
    return report.Table("pipelines", heads, rows)


def _ratios(standings: list[Standing]) -> report.Table:
    """fncast against the limit of its guarantee and against the fastest peer that keeps order, turn by turn."""
    ours = [one for one in standings if isinstance(one.pipeline, Fncast)]
    limits = {one.pipeline.delivery: one for one in standings if isinstance(one.pipeline, Limit)}
    others = [
        one for one in standings if not isinstance(one.pipeline, Fncast | Limit) and one.pipeline.keeps_order
    ]
    fastest = max(others, key=lambda one: one.rate().median, default=None)
    rows = [(one.name, _ratio(one, limits.get(one.pipeline.delivery)), _ratio(one, fastest)) for one in ours]
    return report.Table("ratios", ("pipeline", "to the limit", "to the fastest peer that keeps order"), rows)


def _ratio(one: Standing, other: Standing | None) -> Spread:
    return one.ratio(other) if other else Spread.of([math.nan])


if __name__ == "__main__":
    sys.exit(main())
