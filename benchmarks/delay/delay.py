"""How late forecasts are: from an event's append by the broker until a read-committed reader holds its forecast.

Each pipeline is asked first what it makes of a backlog, then what it keeps up with while events come in (its peak: the
loader and the reader share the machine with it), then how late it is at a rate that all have in common, and at a tenth,
half and nine tenths of that peak.
With --bootstrap the broker's clock must go with this machine's: a delay begins by the one and ends by the other.
About a minute for each pipeline and round.
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

from benchmarks.delay.reader import Seen
from benchmarks.lib import machine, pages, plot, report
from benchmarks.lib.arguments import (
    add_only_argument,
    add_rounds_argument,
    add_stand_arguments,
    apply_only,
    is_chosen,
    positive,
)
from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.loader import Loader
from benchmarks.lib.meter import Meter, Tally, header
from benchmarks.lib.programs import AT_LEAST, EXACTLY, Fncast, Limit, Pipeline, program
from benchmarks.lib.rounds import failures, take_turns
from benchmarks.lib.run import Run
from benchmarks.lib.spread import Spread, figure, percentile
from benchmarks.lib.testbed import Stand, on_stand
from benchmarks.pipelines.peer_programs import peers
from consumer.kafka import at_least_once, exactly_once

PROGRAM = "delay"
ALIKE = 50.0  # events a second: about a tenth of what the peers make
SHARES = (0.1, 0.5, 0.9)
WARM_UP_EVENTS = 200
# The peak is looked for twice: a backlog tells about where it is, then somewhat more than that is offered.
BACKLOG_SHARE, OVERLOAD = 0.3, 1.2
SKIPPED_S = 1.0  # of each rate, until it is steady
# Peers and limit commit as often as fncast with the same guarantee, where they let one say so.
COMMIT_S = {AT_LEAST: at_least_once.COMMIT_S, EXACTLY: exactly_once.COMMIT_S}


@dataclass
class Phase:
    """Events `first` to `last` - 1 at a steady rate.

    Ascending: recorded_s, from the append of an event to that of its forecast; seen_s, until a reader holds it.
    """

    rate: float
    first: int
    last: int
    recorded_s: list[float] = field(default_factory=list)
    seen_s: list[float] = field(default_factory=list)


@dataclass
class Standing:
    """What a pipeline did, a round: a peak, and a phase at ALIKE and at each of SHARES of it."""

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
        """Of the rounds: a percentile of the delays in the phases of that index."""
        rounds = [percentile(getattr(phases[index], what), share) for phases in self.phases]
        return Spread.of([delay_s * 1000 for delay_s in rounds])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{PROGRAM}",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_stand_arguments(parser)
    add_only_argument(parser)
    add_rounds_argument(parser)
    parser.add_argument("--seconds", type=positive, default=8.0, help="at each rate (default: %(default)s)")
    arguments = parser.parse_args(argv)
    apply_only(parser, arguments, (Standing(one).name for one in _pipelines(Path(), Path())))
    return on_stand(arguments, PROGRAM, lambda stand: _compare(stand, arguments))


async def _compare(stand: Stand, arguments: argparse.Namespace) -> int:
    """Measure, print, write; the exit code."""
    known = [Standing(one) for one in _pipelines(stand.models, stand.model)]
    everyone = [one for one in known if is_chosen(one.name, arguments.only)]
    # On a broker just started whoever goes first has two to six times the delay.
    await stand.warm_up_by(_turn(stand, Standing(Fncast(EXACTLY, stand.models)), arguments.seconds))
    failed = await take_turns(
        everyone, arguments.rounds, lambda standing: _turn(stand, standing, arguments.seconds), _line
    )
    standings = [standing for standing in everyone if standing.phases]
    wrong = [standing.name for standing in standings if standing.wrong_rounds]
    told = f"Lost, doubled or disordered events: {'; '.join(wrong)}." if wrong else ""
    blocks: list[report.Block | None] = [_table(standings), told, failures(failed)]
    if arguments.print_only or not standings:
        print(report.text(blocks))
    else:
        facts = machine.facts(
            stand.broker.name, f"{arguments.rounds} rounds, {arguments.seconds:g} s at each rate"
        )
        report.save(PROGRAM, facts, [*blocks, _plot(standings)])
        pages.generate()
    if wrong:
        print(f"{PROGRAM}: lost, doubled or disordered events: {'; '.join(wrong)}", file=sys.stderr)
    if failed:
        print(f"{PROGRAM}: did not end every run: {'; '.join(failed)}", file=sys.stderr)
    return 1 if wrong or failed else 0


def _pipelines(models: Path, model: Path) -> list[Pipeline]:
    return [
        Fncast(AT_LEAST, models),
        Fncast(EXACTLY, models),
        Limit(EXACTLY, model, commit_s=COMMIT_S[EXACTLY]),
        *(replace(one, commit_s=COMMIT_S.get(one.delivery, one.commit_s)) for one in peers(model)),
    ]


async def _turn(stand: Stand, standing: Standing, seconds: float) -> None:
    """All rates, one after the other, in one life of the pipeline. Raises ProcessFailed, NoEnvironment."""
    [topic] = await stand.make_topics("live")
    servers = stand.broker.bootstrap_servers
    async with stand.run(standing.pipeline, topic) as run:
        file = stand.folder / f"{topic}.seen"
        words = ("-m", "benchmarks.delay.reader", servers, run.topics.output, PARTITIONS, file)
        await run.processes.start(program("reader", sys.executable, *words))
        await run.start_consumers()
        loader = Loader(servers, topic, run)
        await loader.offer(WARM_UP_EVENTS)
        backlog = int(standing.pipeline.backlog * BACKLOG_SHARE)
        rate = OVERLOAD * backlog / await loader.offer(backlog)
        count = int(rate * seconds)
        peak = count / await loader.offer(count, rate)
        rates = (ALIKE, *(peak * share for share in SHARES))
        phases = [await _phase(loader, rate, seconds) for rate in rates]
        await run.processes.end()
        tally = await asyncio.to_thread(_time, phases, loader.offered, servers, run, Seen(file))
    await stand.delete_topics(topic)
    measured = tally.measured()
    standing.peaks.append(peak)
    standing.phases.append(phases)
    disordered = standing.pipeline.keeps_order and measured.disordered
    standing.wrong_rounds += bool(disordered or not measured.is_complete)


async def _phase(loader: Loader, rate: float, seconds: float) -> Phase:
    """Raises ProcessFailed."""
    first = loader.offered + int(rate * SKIPPED_S)
    await loader.offer(int(rate * (SKIPPED_S + seconds)), rate)
    return Phase(rate, first, loader.offered)


def _time(phases: list[Phase], events: int, servers: str, run: Run, seen: Seen) -> Tally:
    """Fill in the phases' delays, and count all forecasts of `events` events."""
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


def _line(standing: Standing) -> str:
    shown = ", ".join(f"{figure(phase.rate)}/s {_pair(phase)}" for phase in standing.phases[-1])
    return f"{standing.name}: peak {figure(standing.peaks[-1])}/s; p50 / p99 ms at {shown}"


def _pair(phase: Phase) -> str:
    return " / ".join(figure(percentile(phase.seen_s, share) * 1000) for share in (0.5, 0.99))


def _table(standings: list[Standing]) -> report.Table:
    columns = [(f"{share:g} of it", index, "seen_s") for index, share in enumerate(SHARES, 1)]
    columns.append((f"{SHARES[0]:g} of it, until appended", 1, "recorded_s"))
    columns.append((f"{ALIKE:g}/s", 0, "seen_s"))
    heads = [f"{name}: p{at:.0f}, ms" for name, _, _ in columns for at in (50, 99)]
    rows: list[tuple[report.Cell, ...]] = [
        (
            standing.name,
            Spread.of(standing.peaks),
            *(standing.delay_ms(index, at, what) for _, index, what in columns for at in (0.5, 0.99)),
        )
        for standing in standings
    ]
    return report.Table("delay", ("pipeline", "peak, events/s", *heads), rows)


def _plot(standings: list[Standing]) -> report.Chart | None:
    points = {
        standing.name: [
            (
                Spread.of([phases[index].rate for phases in standing.phases]).median,
                standing.delay_ms(index, 0.99).median,
            )
            for index in range(len(SHARES) + 1)
        ]
        for standing in standings
    }
    return plot.lines(report.PLOTS, "delay", points, "events a second", "p99 of the delay, ms")


if __name__ == "__main__":
    sys.exit(main())
