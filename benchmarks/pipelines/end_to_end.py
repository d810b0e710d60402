"""Measures the whole path, Kafka to Kafka: fncast, its peers and the limit, side by side in one run.

Each pipeline processes a backlog: 100,000 windows for fncast and the limit, 10 to 20 s of work for the peers. Each
round measures all pipelines; each run has a new output topic and new processes. All forecasts are read back. Lost or
doubled forecasts fail the benchmark, and so do forecasts out of order if the pipeline is meant to keep order.

A round takes about 3 minutes. --quick measures fncast, the plain loop and the limit, exactly-once, in 2 minutes.
"""

from __future__ import annotations

import argparse
import math
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
from benchmarks.lib.meter import RunResult
from benchmarks.lib.pipeline_result import PipelineResult
from benchmarks.lib.programs import AT_LEAST, EXACTLY, FncastPipeline, LimitPipeline, Pipeline
from benchmarks.lib.rounds import failures, report_problems, rounds_text, run_rounds
from benchmarks.lib.spread import Spread, figure
from benchmarks.lib.testbed import Testbed, run_on_testbed
from benchmarks.pipelines.peer_programs import peers, plain_loop

PROGRAM = "end_to_end"
ROUNDS, QUICK_ROUNDS = 3, 2
QUICK_SCALE = 0.3
TENSOR_CALLS = {"routes.forecast": {"url": "fn:fncast/forecast", "encoding": "graphpipe"}}


@dataclass
class RateResult(PipelineResult):
    """The runs of one pipeline. cpu_us: CPU time of an event in each run, by kind of process."""

    runs: list[RunResult] = field(default_factory=list)
    cpu_us: list[dict[str, float]] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether no run lost, doubled or disordered forecasts."""
        ordered = not (self.pipeline.keeps_order and any(run.disordered for run in self.runs))
        return ordered and all(run.is_complete for run in self.runs)

    def rate(self) -> Spread:
        return Spread.of([run.rate for run in self.runs])

    def cpu_of(self, process: str) -> float:
        """Return the CPU time of a kind of process: the median of the runs that measured it, in µs an event."""
        known = [us for measured in self.cpu_us if not math.isnan(us := measured.get(process, 0.0))]
        return Spread.of(known or [math.nan]).median

    def ratio(self, other: RateResult) -> Spread:
        """Return the ratio to another pipeline's rate, round by round."""
        pairs = zip(self.runs, other.runs, strict=False)
        return Spread.of([mine.rate / theirs.rate for mine, theirs in pairs])


def main(argv: Sequence[str] | None = None) -> int:
    parser = measurement_parser(PROGRAM, __doc__, add_testbed_arguments)
    add_rounds_argument(parser, default=None, default_text=f"{ROUNDS}; {QUICK_ROUNDS} with --quick")
    parser.add_argument(
        "--scale",
        type=positive_number,
        help=f"factor for all backlogs (default: 1; {QUICK_SCALE:g} with --quick)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="fncast, plain loop and limit, exactly-once; only prints",
    )
    arguments = parser.parse_args(argv)
    known = build_pipelines(Path(), Path(), arguments.quick)
    apply_only(parser, arguments, (RateResult(pipeline).name for pipeline in known))
    arguments.rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    arguments.scale = arguments.scale or (QUICK_SCALE if arguments.quick else 1.0)
    return run_on_testbed(arguments, PROGRAM, lambda testbed: compare(testbed, arguments))


async def compare(testbed: Testbed, arguments: argparse.Namespace) -> int:
    """Measure, print and write the result. Returns the exit code."""
    pipelines = build_pipelines(testbed.models, testbed.model, arguments.quick)
    known = [RateResult(pipeline) for pipeline in pipelines]
    chosen = [result for result in known if is_chosen(result.name, arguments.only)]
    await testbed.warm_up(arguments.scale)
    failed = await run_rounds(
        chosen, arguments.rounds, lambda result: measure_pipeline(testbed, result, arguments.scale), _line
    )
    results = [result for result in chosen if result.runs]
    blocks: list[report.Block | None] = [_table(results), _ratios(results), failures(failed)]
    if arguments.quick or arguments.print_only or not results:
        print(report.markdown(blocks))
    else:
        rates = {result.name: result.rate() for result in results}
        ours = [name for name in rates if name.startswith(FncastPipeline.name)]
        chart = charts.bars(report.CHARTS, "end-to-end", rates, "events a second", ours)
        facts = machine.facts(
            testbed.broker.name, f"{rounds_text(arguments.rounds)}, scale {arguments.scale:g}"
        )
        report.save(PROGRAM, facts, [*blocks, chart])
        pages.generate()
    wrong = [result.name for result in results if not result.is_right]
    return report_problems(PROGRAM, wrong, failed)


def build_pipelines(models: Path, model: Path, quick: bool) -> list[Pipeline]:
    """Return the pipelines in the order of a round. models: fncast's folder of models. model: a .tflite file."""
    if quick:
        return [
            FncastPipeline(EXACTLY, models),
            plain_loop(model, EXACTLY),
            LimitPipeline(EXACTLY, model),
        ]
    # Pipelines that are compared with each other run one after the other.
    return [
        *peers(model),
        LimitPipeline(EXACTLY, model),
        FncastPipeline(EXACTLY, models),
        FncastPipeline(EXACTLY, models, settings=TENSOR_CALLS, name="fncast, tensor calls"),
        FncastPipeline(AT_LEAST, models),
        LimitPipeline(AT_LEAST, model),
    ]


async def measure_pipeline(testbed: Testbed, result: RateResult, scale: float) -> None:
    """Add a run to the result. Raises ProcessFailed, NoEnvironment."""
    run, cpu_us = await testbed.process_backlog(result.pipeline, scale)
    result.runs.append(run)
    result.cpu_us.append(cpu_us)


def _line(result: RateResult) -> str:
    run = result.runs[-1]
    return (
        f"{result.name}: {figure(run.rate)} events/s; of {run.events:,} lost {run.lost},"
        f" doubled {run.doubled}, out of order {run.disordered}"
    )


def _table(results: list[RateResult]) -> report.Table:
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
            result.name,
            result.rate(),
            *(result.cpu_of(part) for part in parts),
            float(result.runs[0].events),
            *(float(sum(getattr(run, fault) for run in result.runs)) for fault in faults),
        )
        for result in results
    ]
    return report.Table("pipelines", heads, rows)


def _ratios(results: list[RateResult]) -> report.Table:
    """Compare fncast with the limit of its guarantee and with the fastest peer that keeps order, round by round."""
    ours = [result for result in results if isinstance(result.pipeline, FncastPipeline)]
    limits = {
        result.pipeline.delivery: result for result in results if isinstance(result.pipeline, LimitPipeline)
    }
    others = [
        result
        for result in results
        if not isinstance(result.pipeline, FncastPipeline | LimitPipeline) and result.pipeline.keeps_order
    ]
    fastest = max(others, key=lambda result: result.rate().median, default=None)
    rows = [
        (result.name, _ratio(result, limits.get(result.pipeline.delivery)), _ratio(result, fastest))
        for result in ours
    ]
    return report.Table("ratios", ("pipeline", "to the limit", "to the fastest peer that keeps order"), rows)


def _ratio(result: RateResult, other: RateResult | None) -> Spread:
    return result.ratio(other) if other else Spread.of([math.nan])


if __name__ == "__main__":
    sys.exit(main())
