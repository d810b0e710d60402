"""The figures of the model servers, by cell, and their tables."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.lib import report
from benchmarks.lib.spread import Spread
from benchmarks.serving.servers import FIXED

CONNECTIONS, WINDOWS = (1, 8, 64), (1, 8, 64, 512)
IN_PROCESS = "in process, no server"


@dataclass(frozen=True)
class Cell:
    """Connections and windows a request. connections: 0 without a server."""

    connections: int
    windows: int

    def __str__(self) -> str:
        return f"{self.connections} × {self.windows}"


MANY = Cell(64, 1)


@dataclass(frozen=True)
class ServingFigure:
    """The result of one cell and round. cpu_us: of a request."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


ServingFigures = dict[str, dict[Cell, list[ServingFigure]]]


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
    fixed, alone = figures.get(FIXED, {}), figures[IN_PROCESS].get(Cell(0, 64), [])
    single, batches = Cell(1, 1), [Cell(connections, 64) for connections in CONNECTIONS]
    rows = []
    for name, cells in figures.items():
        if name in (IN_PROCESS, FIXED):
            continue
        idle = [
            mine.p50_ms / bare.p50_ms
            for mine, bare in zip(cells[single], fixed.get(single, []), strict=False)
        ]
        more = [
            mine.cpu_us - bare.cpu_us for mine, bare in zip(cells[MANY], fixed.get(MANY, []), strict=False)
        ]
        bulk = [
            [mine.rate / raw.rate for mine, raw in zip(cells[batch], alone, strict=False)]
            for batch in batches
        ]
        rows.append((name, *(Spread.of(values) if values else "failed" for values in (idle, more, *bulk))))
    heads = (
        "server",
        f"{single}: p50, times the fixed answer's",
        f"{MANY}: CPU µs over the fixed answer's",
        *(f"{batch}: windows/s, share of those in process" for batch in batches),
    )
    return report.Table("ratios", heads, rows)


def _table(figures: ServingFigures, what: str, title: str) -> report.Table:
    cells = [Cell(connections, windows) for connections in CONNECTIONS for windows in WINDOWS]
    rows = []
    for name, found in figures.items():
        row: list[report.Cell] = [name]
        for cell in cells:
            alone = Cell(0, cell.windows) if cell.connections == 1 else cell
            values = found.get(cell) or found.get(alone)
            missing = "" if name == IN_PROCESS else "failed"
            row.append(Spread.of([getattr(value, what) for value in values]).median if values else missing)
        rows.append(row)
    heads = [str(cell) for cell in cells]
    return report.Table(title, ("server", *heads), rows)
