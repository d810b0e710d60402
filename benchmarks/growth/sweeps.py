"""The sweeps of `growth`: each varies one setting and keeps fncast's defaults for the others."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping

from benchmarks.growth.backlog import MIN_EVENTS, rates
from benchmarks.lib import charts, report
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
LATENCY_SECONDS = 10.0  # duration of a setting's backlog if throughput grows linearly
KILOBYTES = (0.5, 4, 16, 64, 256)
BYTES_A_READING = 5.6  # of a window event in JSON
SIZE_BYTES = 60_000_000  # of a backlog
PARTITION_COUNTS = (1, 4, 16, 64)
PROCESS_COUNTS = ((1, 1), (2, 1), (1, 2), (2, 2), (3, 3), (4, 4))  # consumers, function processes
SERIES_COUNTS = (1, 10, 100, 1_000, 10_000)

Blocks = list[report.Block | None]


async def latency(testbed: Testbed, arguments: argparse.Namespace) -> Blocks:
    """Return throughput by the function's latency and the number of calls in flight."""
    found = {latency_ms: await _rates_at(testbed, arguments, latency_ms) for latency_ms in LATENCIES_MS}
    rows: list[tuple[report.Cell, ...]] = [
        (f"{latency_ms} ms", *by_calls.values()) for latency_ms, by_calls in found.items()
    ]
    shares: list[tuple[report.Cell, ...]] = [
        (
            f"{latency_ms} ms",
            *(rate.median / _linear_rate(latency_ms, calls) for calls, rate in by_calls.items()),
        )
        for latency_ms, by_calls in found.items()
    ]
    chart = charts.lines(
        report.chart_folder(arguments.print_only),
        "growth-latency",
        {
            f"{calls} calls": [(float(ms), by_calls[calls].median) for ms, by_calls in found.items()]
            for calls in CALLS
        },
        "latency of the function, ms",
        "events a second",
    )
    heads = ("latency of a call", *(f"{calls} calls in flight" for calls in CALLS))
    note = f"Linear growth: calls in flight × {BATCH} events a call, if a call takes only the function's latency."
    return [
        report.Table("events/s", heads, rows),
        report.Table("share of linear growth", heads, shares),
        note,
        chart,
    ]


async def _rates_at(testbed: Testbed, arguments: argparse.Namespace, latency_ms: int) -> dict[int, Spread]:
    """Return throughput with a function of this latency, by the number of calls in flight."""
    settings = {}
    async with _slow_function(testbed, latency_ms) as url:
        for calls in CALLS:
            pipeline = FncastPipeline(
                EXACTLY, testbed.models, settings={"fn": {"calls_in_flight": calls}}, function_url=url
            )
            load = _load(min(_linear_rate(latency_ms, calls) * LATENCY_SECONDS, EVENTS), arguments)
            settings[f"{latency_ms} ms, {calls} calls in flight"] = (pipeline, load, PARTITIONS)
        spreads = await rates(testbed, arguments, settings)
    return dict(zip(CALLS, spreads.values(), strict=True))


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
    chart = charts.lines(
        report.chart_folder(arguments.print_only),
        "growth-size",
        points,
        "size of an event, KB",
        "events a second",
    )
    return [report.Table("size", ("event size", "events/s", "MB/s in"), rows), chart]


async def partitions(testbed: Testbed, arguments: argparse.Namespace) -> Blocks:
    """Return throughput by the number of partitions, the same for input and output."""
    load = _load(EVENTS, arguments)
    settings = {
        f"{count}": (FncastPipeline(EXACTLY, testbed.models), load, count) for count in PARTITION_COUNTS
    }
    return _table_and_chart(
        arguments, "partitions", PARTITION_COUNTS, await rates(testbed, arguments, settings)
    )


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
    chart = charts.bars(
        report.chart_folder(arguments.print_only),
        "growth-processes",
        found,
        "events a second",
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
    return _table_and_chart(arguments, "series", SERIES_COUNTS, await rates(testbed, arguments, settings))


def _table_and_chart(
    arguments: argparse.Namespace, name: str, counts: tuple[int, ...], found: Mapping[str, Spread]
) -> Blocks:
    """Return the table and the chart of a sweep over a count. name: what is counted. found: by count, in order."""
    points = {"fncast": [(count, rate.median) for count, rate in zip(counts, found.values(), strict=True)]}
    chart = charts.lines(
        report.chart_folder(arguments.print_only),
        f"growth-{name}",
        points,
        name,
        "events a second",
        logarithmic="x",
    )
    return [report.Table(name, (name, "events/s"), list(found.items())), chart]


def _linear_rate(latency_ms: float, calls: int) -> float:
    """Return events a second if a call takes only the function's latency."""
    return calls * BATCH / latency_ms * 1000


def _load(events: float, arguments: argparse.Namespace, **fields: int) -> Load:
    """Return a load of `events` times --scale, but enough for a stable rate. fields: of `Load`."""
    return Load(max(int(events * arguments.scale), min(MIN_EVENTS, int(events))), **fields)


@contextlib.asynccontextmanager
async def _slow_function(testbed: Testbed, latency_ms: int) -> AsyncIterator[str]:
    [port] = free_ports(1)
    url = f"http://{HOST}:{port}"
    words = ("-m", "benchmarks.growth.slow_function", latency_ms, port)
    async with Processes(testbed.folder) as started:
        await started.start(program("slow function", sys.executable, *words, ready=answers(url)))
        yield url
