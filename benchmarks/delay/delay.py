"""Measures the delay of forecasts: from the broker's append of an event until a read-committed reader has its forecast.

For each pipeline, the measurement first finds its peak: the highest rate of events that the pipeline keeps up with. The
loader and the reader share the machine with the pipeline. Then it measures the delay at a rate that is the same for all
pipelines, and at a tenth, half and nine tenths of the peak.
With --bootstrap, synchronize the clocks of the broker and of this machine.
A pipeline takes about a minute a round.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.delay.reader import ArrivalTimes
from benchmarks.lib import machine, pages, plot, report
from benchmarks.lib.arguments import (
    add_rounds_argument,
    add_testbed_arguments,
    apply_only,
    is_chosen,
    measurement_parser,
    positive,
)
from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.loader import Loader
from benchmarks.lib.meter import Meter, Tally, header
from benchmarks.lib.programs import AT_LEAST, EXACTLY, FncastPipeline, LimitPipeline, Pipeline, program
from benchmarks.lib.rounds import failures, rounds_text, run_rounds
from benchmarks.lib.run import Run
from benchmarks.lib.spread import Spread, figure, percentile
from benchmarks.lib.testbed import Testbed, run_on_testbed
from benchmarks.pipelines.peer_programs import peers
from consumer.kafka import at_least_once, exactly_once

PROGRAM = "delay"
COMMON_RATE = 50.0  # events a second, for all pipelines: about a tenth of the peers' peaks
SHARES = (0.1, 0.5, 0.9)
WARM_UP_EVENTS = 200
# The peak is found in two steps: a backlog gives an estimate, then the loader offers a little more than that.
BACKLOG_SHARE, OVERLOAD = 0.3, 1.2
SKIPPED_S = 1.0  # of each rate, until it is steady
# Peers and limit commit as often as fncast with the same guarantee, if their commit interval can be set.
COMMIT_S = {AT_LEAST: at_least_once.COMMIT_S, EXACTLY: exactly_once.COMMIT_S}


@dataclass
class Phase:
    """Events `first` to `last` - 1 at a steady rate.

    recorded_s: from the append of an event to the append of its forecast, ascending. seen_s: until a reader has the
    forecast, ascending.
    """

    rate: float
    first: int
    last: int
    recorded_s: list[float] = field(default_factory=list)
    seen_s: list[float] = field(default_factory=list)


@dataclass
class DelayResult:
    """The rounds of one pipeline. A round has a peak, a phase at COMMON_RATE and one at each of SHARES of the peak."""

    pipeline: Pipeline
    peaks: list[float] = field(default_factory=list)
    phases: list[list[Phase]] = field(default_factory=list)
    wrong_rounds: int = 0

    @property
    def name(self) -> str:
        return f"{self.pipeline.name}, {self.pipeline.delivery}"

    @property
    def environments(self) -> Sequence[str]:
        return self.pipeline.environments

    def delay_ms(self, index: int, share: float, what: str = "seen_s") -> Spread:
        """Return a percentile of the delays in the phases of that index, over all rounds, in milliseconds."""
        rounds = [percentile(getattr(phases[index], what), share) for phases in self.phases]
        return Spread.of([delay_s * 1000 for delay_s in rounds])


def main(argv: Sequence[str] | None = None) -> int:
    parser = measurement_parser(PROGRAM, __doc__, add_testbed_arguments)
    add_rounds_argument(parser)
    parser.add_argument("--seconds", type=positive, default=8.0, help="at each rate (default: %(default)s)")
    arguments = parser.parse_args(argv)
    apply_only(parser, arguments, (DelayResult(pipeline).name for pipeline in pipelines(Path(), Path())))
    return run_on_testbed(arguments, PROGRAM, lambda testbed: _compare(testbed, arguments))


async def _compare(testbed: Testbed, arguments: argparse.Namespace) -> int:
    """Measure, print and write the result. Returns the exit code."""
    known = [DelayResult(pipeline) for pipeline in pipelines(testbed.models, testbed.model)]
    chosen = [result for result in known if is_chosen(result.name, arguments.only)]
    # On a broker that has just started, the first pipeline has a longer delay.
    await testbed.warm_up_by(
        _measure(testbed, DelayResult(FncastPipeline(EXACTLY, testbed.models)), arguments.seconds)
    )
    failed = await run_rounds(
        chosen, arguments.rounds, lambda result: _measure(testbed, result, arguments.seconds), _line
    )
    results = [result for result in chosen if result.phases]
    wrong = [result.name for result in results if result.wrong_rounds]
    note = f"Lost, doubled or disordered events: {'; '.join(wrong)}." if wrong else ""
    blocks: list[report.Block | None] = [_table(results), note, failures(failed)]
    if arguments.print_only or not results:
        print(report.text(blocks))
    else:
        facts = machine.facts(
            testbed.broker.name, f"{rounds_text(arguments.rounds)}, {arguments.seconds:g} s at each rate"
        )
        report.save(PROGRAM, facts, [*blocks, _plot(results)])
        pages.generate()
    if wrong:
        print(f"{PROGRAM}: lost, doubled or disordered events: {'; '.join(wrong)}", file=sys.stderr)
    if failed:
        print(f"{PROGRAM}: some runs failed: {'; '.join(failed)}", file=sys.stderr)
    return 1 if wrong or failed else 0


def pipelines(models: Path, model: Path) -> list[Pipeline]:
    return [
        FncastPipeline(AT_LEAST, models),
        FncastPipeline(EXACTLY, models),
        LimitPipeline(EXACTLY, model, commit_s=COMMIT_S[EXACTLY]),
        *(replace(peer, commit_s=COMMIT_S.get(peer.delivery, peer.commit_s)) for peer in peers(model)),
    ]


async def _measure(testbed: Testbed, result: DelayResult, seconds: float) -> None:
    """Measure all rates without a restart of the pipeline. Raises ProcessFailed, NoEnvironment."""
    [topic] = await testbed.create_topics("live")
    servers = testbed.broker.bootstrap_servers
    async with testbed.run(result.pipeline, topic) as run:
        file = testbed.folder / f"{topic}.seen"
        arguments = ("-m", "benchmarks.delay.reader", servers, run.topics.output, PARTITIONS, file)
        await run.processes.start(program("reader", sys.executable, *arguments))
        await run.start_consumers()
        loader = Loader(servers, topic, run)
        await loader.offer(WARM_UP_EVENTS)
        backlog = int(result.pipeline.backlog * BACKLOG_SHARE)
        rate = OVERLOAD * backlog / await loader.offer(backlog)
        count = int(rate * seconds)
        peak = count / await loader.offer(count, rate)
        rates = (COMMON_RATE, *(peak * share for share in SHARES))
        phases = [await _phase(loader, rate, seconds) for rate in rates]
        await run.processes.end()
        tally = await asyncio.to_thread(_time, phases, loader.offered, servers, run, ArrivalTimes(file))
    await testbed.delete_topics(topic)
    measured = tally.measured()
    result.peaks.append(peak)
    result.phases.append(phases)
    disordered = result.pipeline.keeps_order and measured.disordered
    result.wrong_rounds += bool(disordered or not measured.is_complete)


async def _phase(loader: Loader, rate: float, seconds: float) -> Phase:
    """Offer events at `rate`, and wait for their forecasts. Raises ProcessFailed."""
    first = loader.offered + int(rate * SKIPPED_S)
    await loader.offer(int(rate * (SKIPPED_S + seconds)), rate)
    return Phase(rate, first, loader.offered)


def _time(phases: list[Phase], events: int, servers: str, run: Run, seen: ArrivalTimes) -> Tally:
    """Set the delays of the phases, and count the forecasts of all `events` events."""
    appended_s = array("d", bytes(8 * events))
    inputs = Meter(servers, run.topics.input, PARTITIONS)
    for message in inputs.read(events):
        appended_s[int(header(message, "ce_id"))] = message.timestamp()[1] / 1000
    inputs.close()
    tally = Tally(events)
    recorded_s, seen_s = array("d", [math.inf]) * events, array("d", [math.inf]) * events
    for message in run.meter.read(events):
        cause = tally.add(message)
        recorded_s[cause] = message.timestamp()[1] / 1000 - appended_s[cause]
        seen_s[cause] = seen.at(message.partition() or 0, message.offset() or 0) - appended_s[cause]
    for phase in phases:
        phase.recorded_s = sorted(recorded_s[phase.first : phase.last])
        phase.seen_s = sorted(seen_s[phase.first : phase.last])
    return tally


def _line(result: DelayResult) -> str:
    shown = ", ".join(f"{figure(phase.rate)}/s {_pair(phase)}" for phase in result.phases[-1])
    return f"{result.name}: peak {figure(result.peaks[-1])}/s; p50 / p99 ms at {shown}"


def _pair(phase: Phase) -> str:
    return " / ".join(figure(percentile(phase.seen_s, share) * 1000) for share in (0.5, 0.99))


def _table(results: list[DelayResult]) -> report.Table:
    columns = [(f"{share:g} of it", index, "seen_s") for index, share in enumerate(SHARES, 1)]
    columns.append((f"{SHARES[0]:g} of it, until appended", 1, "recorded_s"))
    columns.append((f"{COMMON_RATE:g}/s", 0, "seen_s"))
    heads = [f"{name}: p{at:.0f}, ms" for name, _, _ in columns for at in (50, 99)]
    rows: list[tuple[report.Cell, ...]] = [
        (
            result.name,
            Spread.of(result.peaks),
            *(result.delay_ms(index, at, what) for _, index, what in columns for at in (0.5, 0.99)),
        )
        for result in results
    ]
    return report.Table("delay", ("pipeline", "peak, events/s", *heads), rows)


def _plot(results: list[DelayResult]) -> report.Chart | None:
    points = {
        result.name: [
            (
                Spread.of([phases[index].rate for phases in result.phases]).median,
                result.delay_ms(index, 0.99).median,
            )
            for index in range(len(SHARES) + 1)
        ]
        for result in results
    }
    return plot.lines(report.PLOTS, "delay", points, "events a second", "p99 of the delay, ms")


if __name__ == "__main__":
    sys.exit(main())
