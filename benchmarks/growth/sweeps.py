"""The sweeps of benchmarks.growth.growth: each varies one setting and keeps fncast's defaults for the others."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping

from benchmarks.growth.backlog import MIN_EVENTS, rates
from benchmarks.lib import plot, report
from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.load import WINDOW, Load
from benchmarks.lib.processes import Processes
from benchmarks.lib.programs import EXACTLY, FncastPipeline, answers, program
from benchmarks.lib.spread import Spread
from benchmarks.lib.testbed import Testbed
from fncast.demo.plan import HOST, free_ports

EVENTS = 40_000
LATENCIES_MS, CALLS = (1, 3, 10, 30, 100), (1, 4, 16, 32)
BATCH = 512  # fncast's default
LATENCY_SECONDS = 10.0  # a setting's backlog lasts this long if throughput grows linearly
KILOBYTES = (0.5, 4, 16, 64, 256)
BYTES_A_READING = 5.6
SIZE_BYTES = 60_000_000  # of a backlog
PARTITION_COUNTS = (1, 4, 16, 64)
PROCESS_COUNTS = ((1, 1), (2, 1), (1, 2), (2, 2), (3, 3), (4, 4))  # consumers, function processes
SERIES_COUNTS = (1, 10, 100, 1_000, 10_000)

Blocks = list[report.Block | None]


async def latency(testbed: Testbed, arguments: argparse.Namespace) -> Blocks:
    """Return throughput by the function's latency and the number of calls in flight."""
    found: dict[tuple[int, int], Spread] = {}
    for latency_ms in LATENCIES_MS:
        async with _slow_function(testbed, latency_ms) as url:
            settings = {}
            for calls in CALLS:
                pipeline = FncastPipeline(
                    EXACTLY, testbed.models, settings={"fn": {"calls_in_flight": calls}}, function_url=url
                )
                events = min(_linear(latency_ms, calls) * LATENCY_SECONDS, EVENTS)
                load = _load(events, arguments)
                settings[f"{latency_ms} ms, {calls} calls in flight"] = (pipeline, load, PARTITIONS)
            spreads = await rates(testbed, arguments, settings)
            found |= {(latency_ms, calls): rate for calls, rate in zip(CALLS, spreads.values(), strict=True)}
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
        f"{calls} calls": [(float(ms), found[ms, calls].median) for ms in LATENCIES_MS] for calls in CALLS
    }
    shown = plot.lines(
        report.plots(arguments.print_only),
        "growth-latency",
        points,
        "latency of the function, ms",
        "events a second",
    )
    heads = ("latency of a call", *(f"{calls} calls in flight" for calls in CALLS))
    note = f"Linear growth: calls in flight × {BATCH} events a call, if a call takes only the function's latency."
    return [
        report.Table("events/s", heads, rows),
        report.Table("share of linear growth", heads, shares),
        note,
        shown,
    ]


async def size(testbed: Testbed, arguments: argparse.Namespace) -> Blocks:
    """Return throughput by the size of an event."""
    settings = {}
    for kilobytes in KILOBYTES:
        values = max(WINDOW, int(kilobytes * 1000 / BYTES_A_READING))
        load = _load(min(EVENTS, SIZE_BYTES / (kilobytes * 1000)), arguments, values=values)
        settings[f"{kilobytes:g} KB"] = (FncastPipeline(EXACTLY, testbed.models), load, PARTITIONS)
    found = await rates(testbed, arguments, settings)
    megabytes = [
        Spread(*(rate * kilobytes / 1000 for rate in (spread.low, spread.median, spread.high)))
        for kilobytes, spread in zip(KILOBYTES, found.values(), strict=True)
    ]
    rows = [(name, rate, mb) for (name, rate), mb in zip(found.items(), megabytes, strict=True)]
    points = {"fncast": [(x, rate.median) for x, rate in zip(KILOBYTES, found.values(), strict=True)]}
    shown = plot.lines(
        report.plots(arguments.print_only), "growth-size", points, "size of an event, KB", "events a second"
    )
    return [report.Table("size", ("event size", "events/s", "MB/s in"), rows), shown]


async def partitions(testbed: Testbed, arguments: argparse.Namespace) -> Blocks:
    """Return throughput by the number of partitions, the same for input and output."""
    load = _load(EVENTS, arguments)
    settings = {
        f"{count}": (FncastPipeline(EXACTLY, testbed.models), load, count) for count in PARTITION_COUNTS
    }
    return _shown(arguments, "partitions", PARTITION_COUNTS, await rates(testbed, arguments, settings))


async def processes(testbed: Testbed, arguments: argparse.Namespace) -> Blocks:
    """Return throughput by the number of consumer and function processes on this machine."""
    load = _load(EVENTS, arguments)
    settings = {
        f"{consumers} consumers, {functions} function processes": (
            FncastPipeline(EXACTLY, testbed.models, consumer_count=consumers, function_processes=functions),
            load,
            PARTITIONS,
        )
        for consumers, functions in PROCESS_COUNTS
    }
    found = await rates(testbed, arguments, settings, steady=True)
    note = (
        "Events a second from the first event published to the last commit; all consumers have joined before."
    )
    chart = plot.bars(
        report.plots(arguments.print_only),
        "growth-processes",
        found,
        "events a second (logarithmic)",
        list(found),
    )
    return [report.Table("processes", ("processes", "events/s"), list(found.items())), note, chart]


async def series(testbed: Testbed, arguments: argparse.Namespace) -> Blocks:
    """Return throughput by the number of series, which are the keys and subjects of the events."""
    settings = {
        f"{count:,}": (
            FncastPipeline(EXACTLY, testbed.models),
            _load(EVENTS, arguments, series=count),
            PARTITIONS,
        )
        for count in SERIES_COUNTS
    }
    return _shown(arguments, "series", SERIES_COUNTS, await rates(testbed, arguments, settings))


def _shown(
    arguments: argparse.Namespace, what: str, counts: tuple[int, ...], found: Mapping[str, Spread]
) -> Blocks:
    points = {"fncast": [(count, rate.median) for count, rate in zip(counts, found.values(), strict=True)]}
    shown = plot.lines(
        report.plots(arguments.print_only), f"growth-{what}", points, what, "events a second", logarithmic="x"
    )
    return [report.Table(what, (what, "events/s"), list(found.items())), shown]


def _linear(latency_ms: float, calls: int) -> float:
    return calls * BATCH / latency_ms * 1000


def _load(events: float, arguments: argparse.Namespace, **how: int) -> Load:
    return Load(max(int(events * arguments.scale), min(MIN_EVENTS, int(events))), **how)


@contextlib.asynccontextmanager
async def _slow_function(testbed: Testbed, latency_ms: int) -> AsyncIterator[str]:
    [port] = free_ports(1)
    url = f"http://{HOST}:{port}"
    words = ("-m", "benchmarks.growth.slow_function", latency_ms, port)
    async with Processes(testbed.folder) as started:
        await started.start(program("slow function", sys.executable, *words, ready=answers(url)))
        yield url
