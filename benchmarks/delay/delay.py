"""Measures the delay of forecasts: from the broker's append of an event until a read-committed reader has its forecast.

First the peak of each pipeline is found: the highest rate of events that it keeps up with. Then the delay is measured
at a rate that is the same for all pipelines, and at a tenth, half and nine tenths of the peak. The loader and the
reader share the machine with the pipeline. With --bootstrap, synchronize the clocks of the broker and of this machine.
A pipeline takes about a minute a round.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.delay.reader import ArrivalTimes
from benchmarks.delay.result import COMMON_RATE, PEAK_SHARES, DelayResult, Phase, chart, last_round, table
from benchmarks.lib import machine, pages, report
from benchmarks.lib.arguments import (
    add_rounds_argument,
    add_testbed_arguments,
    apply_only,
    is_chosen,
    measurement_parser,
    positive_number,
)
from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.loader import Loader
from benchmarks.lib.meter import Meter, Tally, header
from benchmarks.lib.programs import AT_LEAST, EXACTLY, FncastPipeline, LimitPipeline, Pipeline, program
from benchmarks.lib.rounds import WRONG, failures, report_problems, rounds_text, run_rounds
from benchmarks.lib.run import Run
from benchmarks.lib.testbed import Testbed, run_on_testbed
from benchmarks.pipelines.peer_programs import peers
from consumer.kafka.publishers import at_least_once, exactly_once

PROGRAM = "delay"
WARM_UP_EVENTS = 200
# The peak is found in two steps: a backlog gives an estimate, then the loader offers a little more than that.
BACKLOG_SHARE, OVERLOAD = 0.3, 1.2
SKIPPED_S = 1.0  # at the start of each rate, until it is steady
# By guarantee: peers and limit commit as often as fncast, if their commit interval can be set.
COMMIT_S = {AT_LEAST: at_least_once.COMMIT_S, EXACTLY: exactly_once.COMMIT_S}


def main(argv: Sequence[str] | None = None) -> int:
    parser = measurement_parser(PROGRAM, __doc__, add_testbed_arguments)
    add_rounds_argument(parser)
    parser.add_argument(
        "--seconds", type=positive_number, default=8.0, help="at each rate (default: %(default)s)"
    )
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
        chosen, arguments.rounds, lambda result: _measure(testbed, result, arguments.seconds), last_round
    )
    results = [result for result in chosen if result.phases]
    wrong = [result.name for result in results if result.wrong_rounds]
    note = f"{WRONG.capitalize()}: {'; '.join(wrong)}." if wrong else ""
    blocks: list[report.Block | None] = [table(results), note, failures(failed)]
    if arguments.print_only or not results:
        print(report.markdown(blocks))
    else:
        facts = machine.facts(
            testbed.broker.name, f"{rounds_text(arguments.rounds)}, {arguments.seconds:g} s at each rate"
        )
        report.save(PROGRAM, facts, [*blocks, chart(results)])
        pages.generate()
    return report_problems(PROGRAM, wrong, failed)


def pipelines(models: Path, model: Path) -> list[Pipeline]:
    return [
        FncastPipeline(AT_LEAST, models),
        FncastPipeline(EXACTLY, models),
        LimitPipeline(EXACTLY, model, commit_s=COMMIT_S[EXACTLY]),
        *(replace(peer, commit_s=COMMIT_S.get(peer.delivery, peer.commit_s)) for peer in peers(model)),
    ]


async def _measure(testbed: Testbed, result: DelayResult, seconds: float) -> None:
    """Measure a round: all rates, without a restart of the pipeline. Raises ProcessFailed, NoEnvironment."""
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
        rates = (COMMON_RATE, *(peak * share for share in PEAK_SHARES))
        phases = [await _phase(loader, rate, seconds) for rate in rates]
        await run.processes.end()
        tally = await asyncio.to_thread(_set_delays, phases, loader.offered, servers, run, ArrivalTimes(file))
    await testbed.delete_topics(topic)
    found = tally.result()
    result.peaks.append(peak)
    result.phases.append(phases)
    disordered = result.pipeline.keeps_order and found.disordered
    result.wrong_rounds += bool(disordered or not found.is_complete)


async def _phase(loader: Loader, rate: float, seconds: float) -> Phase:
    """Offer events at `rate`, and wait for their forecasts. Raises ProcessFailed."""
    first = loader.offered + int(rate * SKIPPED_S)
    await loader.offer(int(rate * (SKIPPED_S + seconds)), rate)
    return Phase(rate, first, loader.offered)


def _set_delays(phases: list[Phase], events: int, servers: str, run: Run, arrivals: ArrivalTimes) -> Tally:
    """Set the delays of the phases from the topics. Returns the count of the forecasts of all `events` events."""
    appended_s = array("d", bytes(8 * events))
    inputs = Meter(servers, run.topics.input, PARTITIONS)
    for message in inputs.read(events):
        appended_s[int(header(message, "ce_id"))] = message.timestamp()[1] / 1000
    inputs.close()
    tally = Tally(events)
    recorded_s, seen_s = array("d", [math.inf]) * events, array("d", [math.inf]) * events
    for message in run.meter.read(events):
        event = tally.add(message)
        recorded_s[event] = message.timestamp()[1] / 1000 - appended_s[event]
        seen_s[event] = arrivals.at(message.partition() or 0, message.offset() or 0) - appended_s[event]
    for phase in phases:
        phase.recorded_s = sorted(recorded_s[phase.first : phase.last])
        phase.seen_s = sorted(seen_s[phase.first : phase.last])
    return tally


if __name__ == "__main__":
    sys.exit(main())
