"""The sweeps of benchmarks.growth.growth: one thing is varied, all else stands as fncast has it by default."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping

from benchmarks.growth.backlog import LEAST_EVENTS, rates
from benchmarks.lib import plot, report
from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.load import WINDOW, Load
from benchmarks.lib.processes import Processes
from benchmarks.lib.programs import EXACTLY, Fncast, answers, program
from benchmarks.lib.spread import Spread
from benchmarks.lib.testbed import Stand
from fncast.demo.plan import HOST, free_ports

EVENTS = 40_000
LATENCIES_MS, CALLS = (1, 3, 10, 30, 100), (1, 4, 16, 32)
BATCH = 512  # fncast's default
LATENCY_SECONDS = 10.0  # a setting's backlog is what a linear growth would make of so long
KILOBYTES = (0.5, 4, 16, 64, 256)
BYTES_A_READING = 5.6
SIZE_BYTES = 60_000_000  # of a backlog
PARTITION_COUNTS = (1, 4, 16, 64)
PROCESS_COUNTS = ((1, 1), (2, 1), (1, 2), (2, 2), (3, 3), (4, 4))  # consumers, function processes
SERIES_COUNTS = (1, 10, 100, 1_000, 10_000)

Blocks = list[report.Block | None]


async def latency(stand: Stand, arguments: argparse.Namespace) -> Blocks:
    """Throughput over the latency of a function that scores nothing, for so many calls in flight."""
    found: dict[tuple[int, int], Spread] = {}
    for latency_ms in LATENCIES_MS:
        async with _slow_function(stand, latency_ms) as url:
            settings = {}
            for calls in CALLS:
                pipeline = Fncast(
                    EXACTLY, stand.models, settings={"fn": {"calls_in_flight": calls}}, function_url=url
                )
                events = min(_linear(latency_ms, calls) * LATENCY_SECONDS, EVENTS)
                load = _load(events, arguments)
                settings[f"{latency_ms} ms, {calls} calls in flight"] = (pipeline, load, PARTITIONS)
            spreads = await rates(stand, arguments, settings)
            found |= {(latency_ms, calls): one for calls, one in zip(CALLS, spreads.values(), strict=True)}
    rows: list[tuple[report.Cell, ...]] = [
        (f"{latency_ms} ms", *(found[latency_ms, calls] for calls in CALLS)) for latency_ms in LATENCIES_MS
    ]
    shares: list[tuple[report.Cell, ...]] = [
        (
            f"{latency_ms} ms",
            *(found[latency_ms, calls].median / _linear(latency_ms, calls) for calls in CALLS),
        )
        for latency_ms in LATENCIES_MS
    ]
    points = {
        f"{calls} calls": [(float(one), found[one, calls].median) for one in LATENCIES_MS] for calls in CALLS
    }
    shown = plot.lines(
        report.plots(arguments.print_only),
        "growth-latency",
        points,
        "latency of the function, ms",
        "events a second",
    )
    heads = ("latency of a call", *(f"{calls} calls in flight" for calls in CALLS))
    note = f"Linear growth: calls in flight × {BATCH} events a call, each call taking the function's latency alone."
    return [
        report.Table("events/s", heads, rows),
        report.Table("share of linear growth", heads, shares),
        note,
        shown,
    ]


async def size(stand: Stand, arguments: argparse.Namespace) -> Blocks:
    """Event size."""
    settings = {}
    for kilobytes in KILOBYTES:
        values = max(WINDOW, int(kilobytes * 1000 / BYTES_A_READING))
        load = _load(min(EVENTS, SIZE_BYTES / (kilobytes * 1000)), arguments, values=values)
        settings[f"{kilobytes:g} KB"] = (Fncast(EXACTLY, stand.models), load, PARTITIONS)
    found = await rates(stand, arguments, settings)
    megabytes = [
        Spread(*(rate * kilobytes / 1000 for rate in (one.low, one.median, one.high)))
        for kilobytes, one in zip(KILOBYTES, found.values(), strict=True)
    ]
    rows = [(name, one, mb) for (name, one), mb in zip(found.items(), megabytes, strict=True)]
    points = {"fncast": [(x, one.median) for x, one in zip(KILOBYTES, found.values(), strict=True)]}
    shown = plot.lines(
        report.plots(arguments.print_only), "growth-size", points, "size of an event, KB", "events a second"
    )
    return [report.Table("size", ("event size", "events/s", "MB/s in"), rows), shown]


async def partitions(stand: Stand, arguments: argparse.Namespace) -> Blocks:
    """Partitions, as many out as in."""
    load = _load(EVENTS, arguments)
    settings = {f"{count}": (Fncast(EXACTLY, stand.models), load, count) for count in PARTITION_COUNTS}
    return _shown(arguments, "partitions", PARTITION_COUNTS, await rates(stand, arguments, settings))


async def processes(stand: Stand, arguments: argparse.Namespace) -> Blocks:
    """Consumer and function processes on this one machine."""
    load = _load(EVENTS, arguments)
    settings = {
        f"{consumers} consumers, {functions} function processes": (
            Fncast(EXACTLY, stand.models, consumer_count=consumers, function_processes=functions),
            load,
            PARTITIONS,
        )
        for consumers, functions in PROCESS_COUNTS
    }
    found = await rates(stand, arguments, settings, steady=True)
    note = "Events a second from the first publishing to the last commit; all consumers have joined before."
    chart = plot.bars(
        report.plots(arguments.print_only),
        "growth-processes",
        found,
        "events a second (logarithmic)",
        list(found),
    )
    return [report.Table("processes", ("processes", "events/s"), list(found.items())), note, chart]


async def series(stand: Stand, arguments: argparse.Namespace) -> Blocks:
    """Series: keys, and subjects of events."""
    settings = {
        f"{count:,}": (Fncast(EXACTLY, stand.models), _load(EVENTS, arguments, series=count), PARTITIONS)
        for count in SERIES_COUNTS
    }
    return _shown(arguments, "series", SERIES_COUNTS, await rates(stand, arguments, settings))


def _shown(
    arguments: argparse.Namespace, what: str, counts: tuple[int, ...], found: Mapping[str, Spread]
) -> Blocks:
    points = {"fncast": [(count, one.median) for count, one in zip(counts, found.values(), strict=True)]}
    shown = plot.lines(
        report.plots(arguments.print_only), f"growth-{what}", points, what, "events a second", logarithmic="x"
    )
    return [report.Table(what, (what, "events/s"), list(found.items())), shown]


def _linear(latency_ms: float, calls: int) -> float:
    return calls * BATCH / latency_ms * 1000


def _load(events: float, arguments: argparse.Namespace, **how: int) -> Load:
    return Load(max(int(events * arguments.scale), min(LEAST_EVENTS, int(events))), **how)


@contextlib.asynccontextmanager
async def _slow_function(stand: Stand, latency_ms: int) -> AsyncIterator[str]:
    [port] = free_ports(1)
    url = f"http://{HOST}:{port}"
    words = ("-m", "benchmarks.growth.slow_function", latency_ms, port)
    async with Processes(stand.folder) as started:
        await started.start(program("slow function", sys.executable, *words, ready=answers(url)))
        yield url
