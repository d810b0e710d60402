"""Measures the model service alone: 1, 8 and 64 connections, 1 to 512 windows a request, beside other model servers.

Each server runs on one core, and the load (wrk if it is installed) on another. Each round measures all servers. Two
bounds: the same server with a fixed answer and no model, and the model in a loop without a server. A round takes about
6 minutes.
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
from dataclasses import replace
from pathlib import Path

from benchmarks.lib import charts, machine, pages, report
from benchmarks.lib.arguments import (
    add_model_arguments,
    add_rounds_argument,
    apply_only,
    is_chosen,
    measurement_parser,
    positive_integer,
)
from benchmarks.lib.exit_code import run_to_exit_code
from benchmarks.lib.processes import Processes
from benchmarks.lib.rounds import failures, reason, rounds_text, run_rounds
from benchmarks.lib.spread import Spread, figure
from benchmarks.lib.steps import steps, table
from benchmarks.lib.trained_model import find_or_train
from benchmarks.serving.figures import (
    CONNECTIONS,
    IN_PROCESS,
    MANY_CONNECTIONS,
    WINDOWS,
    LoadSize,
    ServingFigure,
    ServingFigures,
    tables,
)
from benchmarks.serving.http_load import (
    LoadFailed,
    LoadResult,
    Request,
    has_wrk,
    pinned_to,
    post,
    warn_without_wrk,
)
from benchmarks.serving.servers import MeasuredServer, ModelServers, Ports, build_program

PROGRAM = "model_service"
WARM_UP_S = 1
PROFILE_S, PROFILE_GRACE_S = 5, 3  # the profiler starts slowly
SERVER_CORE, LOAD_CORE = 0, 1


def main(argv: Sequence[str] | None = None) -> int:
    parser = measurement_parser(PROGRAM, __doc__, add_model_arguments)
    add_rounds_argument(parser)
    parser.add_argument(
        "--seconds", type=positive_integer, default=2, help="for each figure (default: %(default)s)"
    )
    arguments = parser.parse_args(argv)
    apply_only(parser, arguments, (server.name for server in _servers(Path(), Path())))
    warn_without_wrk()
    return run_to_exit_code(PROGRAM, lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="fncast-benchmark-") as name:
        return asyncio.run(_compare(arguments, Path(name)))


async def _compare(arguments: argparse.Namespace, folder: Path) -> int:
    """Measure, print and write the result. Returns the exit code."""
    models, model = find_or_train(arguments.models, folder)
    chosen = [server for server in _servers(models, model) if is_chosen(server.name, arguments.only)]
    figures: ServingFigures = defaultdict(lambda: defaultdict(list))

    async def measure(server: MeasuredServer) -> None:
        if server is chosen[0]:
            for windows in WINDOWS:
                in_process = await _in_process(model, windows, arguments.seconds)
                figures[IN_PROCESS][LoadSize(0, windows)].append(in_process)
        await _measure(server, folder, arguments.seconds, figures)

    def describe(server: MeasuredServer) -> str:
        found = figures[server.name][MANY_CONNECTIONS]
        last = f"{figure(found[-1].rate)}/s, {figure(found[-1].cpu_us)} µs CPU" if found else "no figure"
        return f"{server.name}: {MANY_CONNECTIONS}: {last}"

    failed = await run_rounds(chosen, arguments.rounds, measure, describe)
    for name in failed:
        figures[name]  # creates its row, in which loads without a figure say "failed"
    profile = await _profile(_servers(models, model)[0], folder)
    blocks: list[report.Block | None] = [*tables(figures), failures(failed), profile]
    code = 1 if failed else 0
    if failed:
        print(f"{PROGRAM}: {failures(failed)}", file=sys.stderr)
    if arguments.print_only or len(failed) == len(chosen):
        print(report.markdown(blocks))
        return code
    generator = "load: wrk" if has_wrk() else "load: asyncio, slower than some servers"
    facts = machine.facts(generator, f"{rounds_text(arguments.rounds)}, {arguments.seconds} s a figure")
    report.save(PROGRAM, facts, [*blocks, _chart(figures)])
    pages.generate()
    return code


def _chart(figures: ServingFigures) -> report.Chart | None:
    """Draw the requests a second of each server with many connections."""
    rates = {
        name: Spread.of([found.rate for found in by_size[MANY_CONNECTIONS]])
        for name, by_size in figures.items()
        if by_size[MANY_CONNECTIONS]
    }
    ours = [name for name in rates if name.startswith("fncast")]
    label = "requests a second, 64 connections × 1 window"
    return charts.bars(report.CHARTS, "model-service", rates, label, ours)


def _servers(models: Path, model: Path) -> list[MeasuredServer]:
    servers = ModelServers(models, model)
    return [*servers.ours(), *servers.others()]


async def _measure(server: MeasuredServer, folder: Path, seconds: int, figures: ServingFigures) -> None:
    """Measure all loads of one server. A load that fails gets no figure. Raises ProcessFailed, NoEnvironment."""
    ports = Ports.free()
    started = build_program(server, ports, folder)

    async def load(request: Request, connections: int, seconds: int) -> LoadResult:
        return await asyncio.to_thread(
            post, ports.of(request), request, connections, seconds, folder, LOAD_CORE
        )

    async with Processes(folder) as processes:
        await processes.start(replace(started, argv=[*pinned_to(SERVER_CORE), *started.argv]))
        for windows in WINDOWS:
            request = server.request(windows)
            with contextlib.suppress(LoadFailed):  # a slow server may not answer in time
                await load(request, 1, WARM_UP_S)
            for size in (LoadSize(connections, windows) for connections in CONNECTIONS):
                before_s = sum(processes.cpu_s().values())
                try:
                    result = await load(request, size.connections, seconds)
                except LoadFailed as error:
                    print(f"{server.name}: {size}: {error}", file=sys.stderr, flush=True)
                    continue
                finally:
                    processes.check()
                cpu_us = (sum(processes.cpu_s().values()) - before_s) / result.requests * 1e6
                measured = ServingFigure(result.rate, result.p50_ms, result.p99_ms, cpu_us)
                figures[server.name][size].append(measured)


async def _profile(server: MeasuredServer, folder: Path) -> report.Block:
    """Return the CPU time of a request by step, with many connections, or a note why it is unknown."""
    try:
        return await _profiled(server, folder)
    except Exception as error:
        return f"No profile of {server.name}: {reason(error)}"


async def _profiled(server: MeasuredServer, folder: Path) -> report.Table:
    """Return the steps of the server. Raises NoProfile, NoEnvironment, ProcessFailed, LoadFailed."""
    ports = Ports.free()
    started = build_program(server, ports, folder)
    request = server.request(MANY_CONNECTIONS.windows)
    async with Processes(folder) as processes:
        await processes.start(replace(started, argv=[*pinned_to(SERVER_CORE), *started.argv]))
        process = processes.family(started.name)[0]
        seconds = WARM_UP_S + PROFILE_S + PROFILE_GRACE_S
        load = asyncio.create_task(
            asyncio.to_thread(
                post, ports.of(request), request, MANY_CONNECTIONS.connections, seconds, folder, LOAD_CORE
            )
        )
        await asyncio.sleep(WARM_UP_S)
        try:
            found = await asyncio.to_thread(steps, process.pid, PROFILE_S, folder)
        finally:
            answered = await load
    count = int(answered.rate * PROFILE_S)
    return table(found, count, "request", f"steps of {server.name} at {MANY_CONNECTIONS}")


async def _in_process(model: Path, windows: int, seconds: int) -> ServingFigure:
    """Measure the model without a server. Its latencies are the mean time of a call."""
    command = [sys.executable, "-m", "benchmarks.serving.in_process", str(model), str(windows), f"{seconds}"]
    done = await asyncio.to_thread(
        subprocess.run, [*pinned_to(SERVER_CORE), *command], capture_output=True, text=True, check=True
    )
    rate = float(done.stdout)
    return ServingFigure(rate, 1e3 / rate, 1e3 / rate, 1e6 / rate)


if __name__ == "__main__":
    sys.exit(main())
