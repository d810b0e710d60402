"""The figures of the model servers, and their tables."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.lib import report
from benchmarks.lib.spread import Spread
from benchmarks.serving.servers import FIXED

CONNECTIONS, WINDOWS = (1, 8, 64), (1, 8, 64, 512)
IN_PROCESS = "in process, no server"


@dataclass(frozen=True)
class LoadSize:
    """The size of a load: its connections (0 without a server), and the windows of each request."""

    connections: int
    windows: int

    def __str__(self) -> str:
        return f"{self.connections} × {self.windows}"


MANY_CONNECTIONS = LoadSize(64, 1)


@dataclass(frozen=True)
class ServingFigure:
    """The result of one load in one round. rate: requests a second. cpu_us: CPU time of a request in the server."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


ServingFigures = dict[str, dict[LoadSize, list[ServingFigure]]]  # by server and load, one for each round


def tables(figures: ServingFigures) -> list[report.Table]:
    """Return the ratios, then a table for each measure, by connections × windows a request."""
    return [
        _ratios(figures),
        _table(figures, "rate", "requests/s"),
        _table(figures, "cpu_us", "CPU of the server, µs a request"),
        _table(figures, "p50_ms", "p50 of the latency, ms"),
        _table(figures, "p99_ms", "p99 of the latency, ms"),
    ]


def _ratios(figures: ServingFigures) -> report.Table:
    """Compare each server that has a model with the fixed answer and the model in process, round by round."""
    fixed, in_process = figures.get(FIXED, {}), figures[IN_PROCESS].get(LoadSize(0, 64), [])
    single, batches = LoadSize(1, 1), [LoadSize(connections, 64) for connections in CONNECTIONS]
    rows = []
    for name, found in figures.items():
        if name in (IN_PROCESS, FIXED):
            continue
        p50_ratios = [
            served.p50_ms / constant.p50_ms
            for served, constant in zip(found[single], fixed.get(single, []), strict=False)
        ]
        extra_cpu_us = [
            served.cpu_us - constant.cpu_us
            for served, constant in zip(
                found[MANY_CONNECTIONS], fixed.get(MANY_CONNECTIONS, []), strict=False
            )
        ]
        batch_shares = [
            [served.rate / direct.rate for served, direct in zip(found[batch], in_process, strict=False)]
            for batch in batches
        ]
        columns = (p50_ratios, extra_cpu_us, *batch_shares)
        rows.append((name, *(Spread.of(values) if values else "failed" for values in columns)))
    heads = (
        "server",
        f"{single}: p50, times the fixed answer's",
        f"{MANY_CONNECTIONS}: CPU µs over the fixed answer's",
        *(f"{batch}: windows/s, share of those in process" for batch in batches),
    )
    return report.Table("ratios", heads, rows)


def _table(figures: ServingFigures, measure: str, title: str) -> report.Table:
    """Return the medians of one measure, a field of `ServingFigure`. The model in process has only one connection."""
    sizes = [LoadSize(connections, windows) for connections in CONNECTIONS for windows in WINDOWS]
    rows = []
    for name, found in figures.items():
        row: list[report.Cell] = [name]
        for size in sizes:
            values = found.get(size)
            if not values and size.connections == 1:
                values = found.get(LoadSize(0, size.windows))
            missing = "" if name == IN_PROCESS else "failed"
            row.append(Spread.of([getattr(value, measure) for value in values]).median if values else missing)
        rows.append(row)
    heads = [str(size) for size in sizes]
    return report.Table(title, ("server", *heads), rows)
