"""The sweeps of benchmarks.growth.growth: each varies one setting and keeps fncast's defaults for all others."""

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
from benchmarks.lib.programs import EXACTLY, Fncast, answers, program
from benchmarks.lib.spread import Spread, figure
from benchmarks.lib.testbed import Testbed
from fncast.demo.plan import HOST, free_ports

EVENTS = 40_000
LATENCIES_MS, CALLS = (1, 3, 10, 30, 100), (1, 4, 16, 32)
BATCH = 512  # fncast's default
LATENCY_SECONDS = 10.0  # the backlog of a setting, in seconds of work at linear growth
KILOBYTES = (0.5, 4, 16, 64, 256)
BYTES_A_READING = 5.6
SIZE_BYTES = 60_000_000  # of a backlog
PARTITION_COUNTS = (1, 4, 16, 64)
PROCESS_COUNTS = ((1, 1), (2, 1), (1, 2), (2, 2), (3, 3), (4, 4))  # consumers, function processes
SERIES_COUNTS = (1, 10, 100, 1_000, 10_000)


async def latency(testbed: Testbed, arguments: argparse.Namespace) -> str:
    """Throughput by the latency of the function and the number of calls in flight."""
    found: dict[tuple[int, int], Spread] = {}
    for latency_ms in LATENCIES_MS:
        async with _slow_function(testbed, latency_ms) as url:
            settings = {}
            for calls in CALLS:
                pipeline = Fncast(
                    EXACTLY, testbed.models, settings={"fn": {"calls_in_flight": calls}}, function_url=url
                )
                events = min(_linear(latency_ms, calls) * LATENCY_SECONDS, EVENTS)
                load = _load(events, arguments)
                settings[f"{latency_ms} ms, {calls} calls in flight"] = (pipeline, load, PARTITIONS)
            spreads = await rates(testbed, arguments, settings)
            found |= {(latency_ms, calls): one for calls, one in zip(CALLS, spreads.values(), strict=True)}
    rows = [
        (
            f"{latency_ms} ms",
            *(_with_share(found[latency_ms, calls], _linear(latency_ms, calls)) for calls in CALLS),
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
    explanation = (
        f"Events a second, and in brackets the share of linear growth: calls in flight × {BATCH} events a call, where a"
        " call takes the function's latency and nothing else. A low share with the same rate as at 1 ms means that the"
        " processors are the limit."
    )
    return f"{explanation}\n\n{report.table(heads, rows)}\n\n{shown}"


async def size(testbed: Testbed, arguments: argparse.Namespace) -> str:
    """Throughput by event size."""
    settings = {}
    for kilobytes in KILOBYTES:
        values = max(WINDOW, int(kilobytes * 1000 / BYTES_A_READING))
        load = _load(min(EVENTS, SIZE_BYTES / (kilobytes * 1000)), arguments, values=values)
        settings[f"{kilobytes:g} KB"] = (Fncast(EXACTLY, testbed.models), load, PARTITIONS)
    found = await rates(testbed, arguments, settings)
    megabytes = [
        Spread(*(rate * kilobytes / 1000 for rate in (one.low, one.median, one.high)))
        for kilobytes, one in zip(KILOBYTES, found.values(), strict=True)
    ]
    rows = [(name, str(one), str(mb)) for (name, one), mb in zip(found.items(), megabytes, strict=True)]
    points = {"fncast": [(x, one.median) for x, one in zip(KILOBYTES, found.values(), strict=True)]}
    shown = plot.lines(
        report.plots(arguments.print_only), "growth-size", points, "size of an event, KB", "events a second"
    )
    return f"{report.table(('event size', 'events/s', 'MB/s in'), rows)}\n\n{shown}"


async def partitions(testbed: Testbed, arguments: argparse.Namespace) -> str:
    """Throughput by number of partitions, the same number for input and output."""
    load = _load(EVENTS, arguments)
    settings = {f"{count}": (Fncast(EXACTLY, testbed.models), load, count) for count in PARTITION_COUNTS}
    return _shown(arguments, "partitions", PARTITION_COUNTS, await rates(testbed, arguments, settings))


async def processes(testbed: Testbed, arguments: argparse.Namespace) -> str:
    """Throughput by number of consumer and function processes on this machine."""
    load = _load(EVENTS, arguments)
    settings = {
        f"{consumers} consumers, {functions} function processes": (
            Fncast(EXACTLY, testbed.models, consumer_count=consumers, function_processes=functions),
            load,
            PARTITIONS,
        )
        for consumers, functions in PROCESS_COUNTS
    }
    found = await rates(testbed, arguments, settings, steady=True)
    rows = [(name, str(one)) for name, one in found.items()]
    explanation = (
        "Events a second, from the publication of the first event until the last is committed."
        " All consumers have joined before."
    )
    return f"{explanation}\n\n{report.table(('processes', 'events/s'), rows)}"


async def series(testbed: Testbed, arguments: argparse.Namespace) -> str:
    """Throughput by number of series: different keys and subjects of events."""
    settings = {
        f"{count:,}": (Fncast(EXACTLY, testbed.models), _load(EVENTS, arguments, series=count), PARTITIONS)
        for count in SERIES_COUNTS
    }
    return _shown(arguments, "series", SERIES_COUNTS, await rates(testbed, arguments, settings))


def _shown(
    arguments: argparse.Namespace, what: str, counts: tuple[int, ...], found: Mapping[str, Spread]
) -> str:
    points = {"fncast": [(count, one.median) for count, one in zip(counts, found.values(), strict=True)]}
    shown = plot.lines(
        report.plots(arguments.print_only), f"growth-{what}", points, what, "events a second", logarithmic="x"
    )
    rows = [(name, str(one)) for name, one in found.items()]
    return f"{report.table((what, 'events/s'), rows)}\n\n{shown}"


def _linear(latency_ms: float, calls: int) -> float:
    return calls * BATCH / latency_ms * 1000


def _with_share(rate: Spread, linear: float) -> str:
    return f"{rate} ({figure(rate.median / linear)})"


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
