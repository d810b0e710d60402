"""The whole path from Kafka to Kafka: fncast, its peers and the limit.

Each pipeline processes a backlog: fncast and the limit 100,000 windows, the peers as many as take them 10 to 20 s.
Each round measures all pipelines; each run has its own output topic and processes. All forecasts are read back: a
lost, doubled or disordered one fails the benchmark (disordered only where the pipeline promises to keep the order).

About 3 minutes a round; --quick (fncast, the plain loop and the limit, exactly-once) takes less than two in all.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.lib import machine, plot, report
from benchmarks.lib.arguments import (
    add_only_argument,
    add_rounds_argument,
    add_testbed_arguments,
    apply_only,
    is_chosen,
    positive,
)
from benchmarks.lib.meter import Measured
from benchmarks.lib.programs import AT_LEAST, EXACTLY, Fncast, Limit, Pipeline
from benchmarks.lib.rounds import failures, run_rounds
from benchmarks.lib.spread import Spread, figure
from benchmarks.lib.testbed import Testbed, on_testbed
from benchmarks.pipelines.peer_programs import peers, plain_loop

PROGRAM = "end_to_end"
ROUNDS, QUICK_ROUNDS = 3, 2
QUICK_SCALE = 0.3


@dataclass
class PipelineResult:
    """The results of a pipeline in all its runs. cpu_us: CPU an event, by kind of process."""

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
        """CPU µs an event of one kind of process: the median of the rounds in which it was measured."""
        known = [us for one in self.cpu_us if not math.isnan(us := one.get(process, 0.0))]
        return Spread.of(known or [math.nan]).median

    def ratio(self, other: PipelineResult) -> Spread:
        """The ratio to the rate of another pipeline in the same round, for the rounds that both completed."""
        pairs = zip(self.runs, other.runs, strict=False)
        return Spread.of([mine.rate / theirs.rate for mine, theirs in pairs])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{PROGRAM}",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_testbed_arguments(parser)
    add_only_argument(parser)
    add_rounds_argument(parser, default=None, text=f"default: {ROUNDS}; {QUICK_ROUNDS} with --quick")
    parser.add_argument(
        "--scale", type=positive, help=f"factor for all backlogs (default: 1; {QUICK_SCALE:g} with --quick)"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="only fncast, the plain loop and the limit, exactly-once; only print",
    )
    arguments = parser.parse_args(argv)
    known = _pipelines(Path(), Path(), arguments.quick)
    apply_only(parser, arguments, (PipelineResult(one).name for one in known))
    arguments.rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    arguments.scale = arguments.scale or (QUICK_SCALE if arguments.quick else 1.0)
    return on_testbed(arguments, PROGRAM, lambda testbed: _compare(testbed, arguments))


async def _compare(testbed: Testbed, arguments: argparse.Namespace) -> int:
    """Measure, print and write the page. Returns the exit code."""
    known = [PipelineResult(one) for one in _pipelines(testbed.models, testbed.model, arguments.quick)]
    everyone = [one for one in known if is_chosen(one.name, arguments.only)]
    await testbed.warm_up(arguments.scale)
    failed = await run_rounds(
        everyone, arguments.rounds, lambda result: _run_round(testbed, result, arguments.scale), _line
    )
    results = [result for result in everyone if result.runs]
    lines = [_table(results), "", *_ratios(results), "", failures(failed)]
    if arguments.quick or arguments.print_only or not results:
        print("\n".join(lines))
    else:
        rates = {result.name: result.rate() for result in results}
        ours = [name for name in rates if name.startswith(Fncast.name)]
        shown = plot.bars(report.PLOTS, "end-to-end", rates, "events a second (logarithmic)", ours)
        facts = machine.facts(testbed.broker.name, f"{arguments.rounds} rounds, scale {arguments.scale:g}")
        report.write(PROGRAM, "\n".join([facts, "", *lines, "", shown]))
    wrong = [result.name for result in results if not result.is_right]
    if wrong:
        print(f"{PROGRAM}: lost, doubled or disordered events: {'; '.join(wrong)}", file=sys.stderr)
    if failed:
        print(f"{PROGRAM}: failed in at least one round: {'; '.join(failed)}", file=sys.stderr)
    return 1 if wrong or failed else 0


def _pipelines(models: Path, model: Path, quick: bool) -> list[Pipeline]:
    if quick:
        return [
            Fncast(EXACTLY, models),
            plain_loop(model, EXACTLY),
            Limit(EXACTLY, model),
        ]
    # Pipelines that are compared with each other run next to each other.
    return [
        *peers(model),
        Limit(EXACTLY, model),
        Fncast(EXACTLY, models),
        Fncast(AT_LEAST, models),
        Limit(AT_LEAST, model),
    ]


async def _run_round(testbed: Testbed, result: PipelineResult, scale: float) -> None:
    """Measure one run and add it to `result`. Raises ProcessFailed, NoEnvironment."""
    measured, cpu_us = await testbed.measure_backlog(result.pipeline, scale)
    result.runs.append(measured)
    result.cpu_us.append(cpu_us)


def _line(result: PipelineResult) -> str:
    run = result.runs[-1]
    return (
        f"{result.name}: {figure(run.rate)} events/s; of {run.events:,} lost {run.lost},"
        f" doubled {run.doubled}, out of order {run.disordered}"
    )


def _table(results: list[PipelineResult]) -> str:
    heads = (
        "pipeline",
        "events/s",
        "CPU µs/event: consumer + function + model",
        "the broker's",
        "events a run",
        "lost",
        "doubled",
        "out of order",
    )
    rows = []
    for result in results:
        cpu = " + ".join(figure(result.cpu_of(one)) for one in ("consumer", "functions", "model service"))
        rows.append(
            (
                result.name,
                str(result.rate()),
                cpu,
                figure(result.cpu_of("broker")),
                f"{result.runs[0].events:,}",
                *(
                    str(sum(getattr(run, what) for run in result.runs))
                    for what in ("lost", "doubled", "disordered")
                ),
            )
        )
    return report.table(heads, rows)


def _ratios(results: list[PipelineResult]) -> list[str]:
    """Ratios of fncast to the limit with the same guarantee and to the fastest peer that keeps order, by round."""
    ours = [one for one in results if isinstance(one.pipeline, Fncast)]
    limits = {one.pipeline.delivery: one for one in results if isinstance(one.pipeline, Limit)}
    others = [
        one for one in results if not isinstance(one.pipeline, Fncast | Limit) and one.pipeline.keeps_order
    ]
    fastest = max(others, key=lambda one: one.rate().median, default=None)
    rows = [(one.name, _ratio(one, limits.get(one.pipeline.delivery)), _ratio(one, fastest)) for one in ours]
    peer = fastest.name if fastest else "a peer"
    return [report.table(("ratio, round by round", "to the limit", f"to {peer}"), rows)]


def _ratio(one: PipelineResult, other: PipelineResult | None) -> str:
    return str(one.ratio(other)) if other else "not measured"


if __name__ == "__main__":
    sys.exit(main())
