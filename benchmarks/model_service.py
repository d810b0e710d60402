"""The model service alone: 1, 8 and 64 connections, 1 to 512 windows a request, beside other model servers.

Each server runs on one core and the load (wrk, where it is) on another. Servers take turns. A fixed answer of the
same server without a model, and the model in a loop without a server, say what there is to reach. About 6 minutes a
round.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import machine, plot, report
from benchmarks.arguments import (
    add_model_arguments,
    add_only_argument,
    add_rounds_argument,
    check_only,
    is_chosen,
)
from benchmarks.environment import NoEnvironment
from benchmarks.http_load import Answered, LoadFailed, has_wrk, pinned, post, say_generator
from benchmarks.model_servers import FIXED, ModelServer, ModelServers, ready
from benchmarks.processes import Processes
from benchmarks.spread import Spread, figure
from benchmarks.stand import INTERRUPTED, end_cleanly, found_model
from benchmarks.steps import NoProfile, steps, table
from demo.plan import free_ports
from demo.process import ProcessFailed

PROGRAM = "model_service"
CONNECTIONS, WINDOWS = (1, 8, 64), (1, 8, 64, 512)
WARM_UP_S = 1
PROFILE_S, PROFILE_GRACE_S = 5, 3  # the profiler takes a while to begin
SERVER_CORE, LOAD_CORE = 0, 1
IN_PROCESS = "in process, no server"


@dataclass(frozen=True)
class Cell:
    """connections: 0 where there is no server."""

    connections: int
    windows: int

    def __str__(self) -> str:
        return f"{self.connections} × {self.windows}"


MANY = Cell(64, 1)


@dataclass(frozen=True)
class Figure:
    """Of one cell and round."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


Figures = dict[str, dict[Cell, list[Figure]]]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{PROGRAM}",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_model_arguments(parser)
    add_only_argument(parser)
    add_rounds_argument(parser)
    parser.add_argument("--seconds", type=int, default=2, help="of each figure (default: %(default)s)")
    arguments = parser.parse_args(argv)
    check_only(parser, arguments.only, (one.name for one in _servers(Path(), Path())))
    say_generator()
    end_cleanly()
    try:
        with tempfile.TemporaryDirectory(prefix="fncast-benchmark-") as name:
            return asyncio.run(_compare(arguments, Path(name)))
    except (NoEnvironment, ProcessFailed) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return INTERRUPTED


async def _compare(arguments: argparse.Namespace, folder: Path) -> int:
    models, model = found_model(arguments.models, folder)
    chosen = [one for one in _servers(models, model) if is_chosen(one.name, arguments.only)]
    figures: Figures = defaultdict(lambda: defaultdict(list))
    for number in range(arguments.rounds):
        for windows in WINDOWS:
            figures[IN_PROCESS][Cell(0, windows)].append(await _in_process(model, windows, arguments.seconds))
        for server in chosen:
            await _turn(server, folder, arguments.seconds, figures)
            told = [
                f"{figure(one.rate)}/s, {figure(one.cpu_us)} µs CPU"
                for one in figures[server.name][MANY][-1:]
            ]
            print(f"round {number + 1}: {server.name}: {MANY}: {' '.join(told)}", file=sys.stderr, flush=True)
    text = "\n\n".join([*_tables(figures), await _profile(_servers(models, model)[0], folder)])
    if arguments.print_only:
        print(text)
        return 0
    generator = "load: wrk" if has_wrk() else "load: asyncio, slower than some servers"
    facts = machine.facts(generator, f"{arguments.rounds} rounds, {arguments.seconds} s a figure")
    rates = {
        name: Spread.of([one.rate for one in cells[MANY]]) for name, cells in figures.items() if cells[MANY]
    }
    shown = plot.bars(
        report.PLOTS,
        "model-service",
        rates,
        "requests a second, 64 connections × 1 window (logarithmic)",
        [name for name in rates if name.startswith("fncast")],
    )
    report.write(PROGRAM, f"{facts}\n\n{text}\n\n{shown}")
    return 0


def _servers(models: Path, model: Path) -> list[ModelServer]:
    servers = ModelServers(models, model)
    return [*servers.ours(), *servers.others()]


async def _turn(server: ModelServer, folder: Path, seconds: int, figures: Figures) -> None:
    """All cells of one server; one that it does not answer stays empty. Raises ProcessFailed, NoEnvironment."""
    [port] = free_ports(1)
    started = ready(server, port, folder)
    async with Processes(folder) as processes:
        await processes.start(replace(started, argv=[*pinned(SERVER_CORE), *started.argv]))
        for windows in WINDOWS:
            request = server.request(windows)
            with contextlib.suppress(LoadFailed):  # a slow one may not have answered yet
                await asyncio.to_thread(post, port, request, 1, WARM_UP_S, folder, LOAD_CORE)
            for connections in CONNECTIONS:
                before_s = sum(processes.cpu_s().values())
                try:
                    answered: Answered = await asyncio.to_thread(
                        post, port, request, connections, seconds, folder, LOAD_CORE
                    )
                except LoadFailed as error:
                    print(f"{server.name}: {connections} × {windows}: {error}", file=sys.stderr, flush=True)
                    continue
                finally:
                    processes.check()
                cpu_us = (sum(processes.cpu_s().values()) - before_s) / answered.requests * 1e6
                found = Figure(answered.rate, answered.p50_ms, answered.p99_ms, cpu_us)
                figures[server.name][Cell(connections, windows)].append(found)


async def _profile(server: ModelServer, folder: Path) -> str:
    """Where a request's CPU goes with many connections. Raises ProcessFailed, NoEnvironment."""
    [port] = free_ports(1)
    started = ready(server, port, folder)
    request = server.request(MANY.windows)
    async with Processes(folder) as processes:
        await processes.start(replace(started, argv=[*pinned(SERVER_CORE), *started.argv]))
        process = processes.family(started.name)[0]
        seconds = WARM_UP_S + PROFILE_S + PROFILE_GRACE_S
        load = asyncio.create_task(
            asyncio.to_thread(post, port, request, MANY.connections, seconds, folder, LOAD_CORE)
        )
        await asyncio.sleep(WARM_UP_S)
        try:
            found = await asyncio.to_thread(steps, process.pid, PROFILE_S, folder)
        except NoProfile as error:
            return f"No profile of {server.name}: {error}"
        finally:
            answered = await load
    count = int(answered.rate * PROFILE_S)
    told = f"Where the CPU of {server.name} goes at {MANY}, by samples that slow it down somewhat:"
    return f"{told}\n\n{table(found, count, 'request')}"


async def _in_process(model: Path, windows: int, seconds: int) -> Figure:
    words = [sys.executable, "-m", "benchmarks.in_process", str(model), str(windows), f"{seconds}"]
    done = await asyncio.to_thread(
        subprocess.run, [*pinned(SERVER_CORE), *words], capture_output=True, text=True, check=True
    )
    rate = float(done.stdout)
    return Figure(rate, 1e3 / rate, 1e3 / rate, 1e6 / rate)


def _tables(figures: Figures) -> list[str]:
    return [
        _ratios(figures),
        "Requests a second, by connections × windows a request; in process: calls a second.\n\n"
        + _table(figures, "rate"),
        "CPU of the server, µs a request.\n\n" + _table(figures, "cpu_us"),
        "p50 of the latency, ms.\n\n" + _table(figures, "p50_ms"),
        "p99 of the latency, ms.\n\n" + _table(figures, "p99_ms"),
    ]


def _ratios(figures: Figures) -> str:
    """Of each server that was asked with a model, round by round."""
    fixed, alone = figures.get(FIXED, {}), figures[IN_PROCESS].get(Cell(0, 64), [])
    one, batches = Cell(1, 1), Cell(8, 64)
    rows = []
    for name, cells in figures.items():
        if name in (IN_PROCESS, FIXED):
            continue
        idle = [mine.p50_ms / bare.p50_ms for mine, bare in zip(cells[one], fixed.get(one, []), strict=False)]
        more = [
            mine.cpu_us - bare.cpu_us for mine, bare in zip(cells[MANY], fixed.get(MANY, []), strict=False)
        ]
        bulk = [mine.rate / raw.rate for mine, raw in zip(cells[batches], alone, strict=False)]
        rows.append((name, *(str(Spread.of(values)) if values else "" for values in (idle, more, bulk))))
    heads = (
        "server",
        f"{one}: p50, times the fixed answer's",
        f"{MANY}: CPU µs over the fixed answer's",
        f"{batches}: windows/s, share of those in process",
    )
    return report.table(heads, rows)


def _table(figures: Figures, what: str) -> str:
    cells = [Cell(connections, windows) for connections in CONNECTIONS for windows in WINDOWS]
    rows = []
    for name, found in figures.items():
        texts = []
        for cell in cells:
            alone = Cell(0, cell.windows) if cell.connections == 1 else cell
            values = found.get(cell) or found.get(alone)
            missing = "" if name == IN_PROCESS else "failed"
            texts.append(
                figure(Spread.of([getattr(one, what) for one in values]).median) if values else missing
            )
        rows.append((name, *texts))
    heads = [str(cell) for cell in cells]
    return report.table(("server", *heads), rows)


if __name__ == "__main__":
    sys.exit(main())
