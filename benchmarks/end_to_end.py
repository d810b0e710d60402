"""The whole path, from record in to forecast out, beside a plain pipeline in the same run.

`python -m benchmarks.end_to_end` (or `make bench BENCH="--rounds 5"`). Two questions to each pipeline: how many events
a second it takes from a backlog, and how late a forecast is at a low rate. Pipelines take turns, and each run has
topics and processes of its own. What a pipeline loses, doubles or puts out of order is counted, and fails the
benchmark.

Broker: --bootstrap-servers, else Kafka in a container, else the embedded one with a backlog that fits its memory.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.broker import Broker, NoBroker, broker
from benchmarks.load import publish, records
from benchmarks.meter import Measured
from benchmarks.pipelines import Fncast, Pipeline, Plain
from benchmarks.run import running
from demo.models import find
from demo.process import ProcessFailed

EVENTS, PLAIN_EVENTS = 60_000, 2_000
# What the embedded broker keeps of a partition (5 MB) holds a quarter of so many forecasts, unevenly spread.
EMBEDDED_EVENTS = 6_000
WARM_UP_EVENTS = 100


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.end_to_end", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--bootstrap-servers", metavar="HOST:PORT", help="a broker that is there; topics are made on it"
    )
    parser.add_argument(
        "--embedded", action="store_true", help="the embedded broker even where there is Docker"
    )
    parser.add_argument("--models", type=Path, default=Path("models"), metavar="DIR", help="default: models")
    parser.add_argument(
        "--events", type=int, default=EVENTS, help="backlog for fncast (default: %(default)s)"
    )
    parser.add_argument(
        "--plain-events", type=int, default=PLAIN_EVENTS, help="for the plain one (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="the median of so many is shown (default: %(default)s)"
    )
    parser.add_argument(
        "--rate", type=float, default=100.0, help="events a second for the delay (default: %(default)s)"
    )
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="how long, for the delay (default: %(default)s)"
    )
    arguments = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="fncast-benchmark-") as name, contextlib.ExitStack() as stack:
            folder = Path(name)
            models, model = _model(arguments.models, folder)
            on = stack.enter_context(broker(arguments.bootstrap_servers, arguments.embedded))
            print(f"broker: {on.name}; model: {model}", file=sys.stderr)
            return asyncio.run(_compare(arguments, on, models, model, folder))
    except (NoBroker, ProcessFailed) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1


def _model(models: Path, folder: Path) -> tuple[Path, Path]:
    """The folder of models and the newest version in it; a small one is trained if there is none."""
    if (found := find(models)) is None:
        print("no model yet: training a small one", file=sys.stderr)
        models = folder / "models"
        command = [sys.executable, "-m", "fncast", "train", "--models", str(models), "--epochs", "2"]
        subprocess.run(command, check=True, stdout=sys.stderr)
        found = find(models)
        assert found is not None
    return models.resolve(), found.folder.path.resolve()


async def _compare(arguments: argparse.Namespace, on: Broker, models: Path, model: Path, folder: Path) -> int:
    """Measure, print the table, return the exit code. Raises ProcessFailed."""
    events = min(arguments.events, EMBEDDED_EVENTS) if on.embedded else arguments.events
    pipelines: list[tuple[Pipeline, int]] = [(Plain(model / "model.tflite"), arguments.plain_events)]
    deliveries = ["at-least-once"] if on.embedded else ["at-least-once", "exactly-once"]
    pipelines += [(Fncast(delivery, models), events) for delivery in deliveries]
    backlogs: dict[str, list[Measured]] = {pipeline.name: [] for pipeline, _ in pipelines}
    cpu_s: dict[str, list[float]] = {pipeline.name: [] for pipeline, _ in pipelines}
    delays: dict[str, Measured] = {}
    for number in range(arguments.rounds):
        for pipeline, count in pipelines:
            measured, event_s = await _backlog(pipeline, on, count, folder)
            backlogs[pipeline.name].append(measured)
            cpu_s[pipeline.name].append(event_s)
            print(f"round {number + 1}: {pipeline.name}: {measured.rate:,.0f} events/s", file=sys.stderr)
    for pipeline, _ in pipelines:
        delays[pipeline.name] = await _delay(pipeline, on, arguments.rate, arguments.seconds, folder)
    _print_table(backlogs, cpu_s, delays, arguments.rate)
    everything = [*itertools.chain(*backlogs.values()), *delays.values()]
    return 0 if all(measured.is_right for measured in everything) else 1


async def _backlog(pipeline: Pipeline, on: Broker, count: int, folder: Path) -> tuple[Measured, float]:
    """How fast `count` waiting events go through. Raises ProcessFailed."""
    async with running(pipeline, on, folder) as run:
        await asyncio.to_thread(publish, on.bootstrap_servers, run.topics.input, records(count))
        await run.start_consumer()
        return await run.measured(count)


async def _delay(pipeline: Pipeline, on: Broker, rate: float, seconds: float, folder: Path) -> Measured:
    """How late forecasts are at `rate` events a second, after a warm-up. Raises ProcessFailed."""
    events = records(WARM_UP_EVENTS + int(rate * seconds))
    async with running(pipeline, on, folder) as run:
        await run.start_consumer()
        await asyncio.to_thread(publish, on.bootstrap_servers, run.topics.input, events[:WARM_UP_EVENTS])
        await run.wait(WARM_UP_EVENTS)
        await asyncio.to_thread(
            publish, on.bootstrap_servers, run.topics.input, events[WARM_UP_EVENTS:], rate
        )
        measured, _ = await run.measured(len(events), skip=WARM_UP_EVENTS)
        return measured


def _print_table(
    backlogs: dict[str, list[Measured]],
    cpu_s: dict[str, list[float]],
    delays: dict[str, Measured],
    rate: float,
) -> None:
    plain = statistics.median(one.rate for one in backlogs[Plain.name])
    heads = (
        "pipeline",
        "events/s",
        "[lowest-highest]",
        "ratio",
        "CPU µs/event",
        f"p50 / p99 ms at {rate:g}/s",
        "lost",
        "doubled",
        "disordered",
    )
    rows = [heads]
    for name, measured in backlogs.items():
        rates = sorted(one.rate for one in measured)
        all_runs = [*measured, delays[name]]
        rows.append(
            (
                name,
                f"{statistics.median(rates):,.0f}",
                f"[{rates[0]:,.0f}-{rates[-1]:,.0f}]",
                f"{statistics.median(rates) / plain:.1f}",
                f"{statistics.median(cpu_s[name]) * 1e6:,.0f}",
                f"{delays[name].delay_ms(0.5):.0f} / {delays[name].delay_ms(0.99):.0f}",
                str(sum(one.lost for one in all_runs)),
                str(sum(one.doubled for one in all_runs)),
                str(sum(one.disordered for one in all_runs)),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    for row in rows:
        first, *others = (
            cell.ljust(width) if not i else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]))


if __name__ == "__main__":
    sys.exit(main())
