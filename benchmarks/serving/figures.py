"""The figures of the model servers, by cell, and their tables."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.lib import report
from benchmarks.lib.spread import Spread, figure
from benchmarks.serving.servers import FIXED

CONNECTIONS, WINDOWS = (1, 8, 64), (1, 8, 64, 512)
IN_PROCESS = "in process, no server"


@dataclass(frozen=True)
class Cell:
    """One combination of connections and windows a request. connections: 0 for a model without a server."""

    connections: int
    windows: int

    def __str__(self) -> str:
        return f"{self.connections} × {self.windows}"


MANY = Cell(64, 1)


@dataclass(frozen=True)
class Figure:
    """The figures of one cell in one round."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


Figures = dict[str, dict[Cell, list[Figure]]]


def tables(figures: Figures) -> list[str]:
    return [
        _ratios(figures),
        "Requests a second, by connections × windows a request; in process: calls a second.\n\n"
        + _table(figures, "rate"),
        "CPU of the server, µs a request.\n\n" + _table(figures, "cpu_us"),
        "p50 of the latency, ms.\n\n" + _table(figures, "p50_ms"),
        "p99 of the latency, ms.\n\n" + _table(figures, "p99_ms"),
    ]


def _ratios(figures: Figures) -> str:
    """Ratios of each server with a model, by round: to the fixed answer and to the model in process."""
    fixed, alone = figures.get(FIXED, {}), figures[IN_PROCESS].get(Cell(0, 64), [])
    one, batches = Cell(1, 1), [Cell(connections, 64) for connections in CONNECTIONS]
    rows = []
    for name, cells in figures.items():
        if name in (IN_PROCESS, FIXED):
            continue
        idle = [mine.p50_ms / bare.p50_ms for mine, bare in zip(cells[one], fixed.get(one, []), strict=False)]
        more = [
            mine.cpu_us - bare.cpu_us for mine, bare in zip(cells[MANY], fixed.get(MANY, []), strict=False)
        ]
        bulk = [
            [mine.rate / raw.rate for mine, raw in zip(cells[batch], alone, strict=False)]
            for batch in batches
        ]
        shares = " / ".join(str(Spread.of(values)) if values else "failed" for values in bulk)
        rows.append((name, *(str(Spread.of(values)) if values else "" for values in (idle, more)), shares))
    heads = (
        "server",
        f"{one}: p50, times the fixed answer's",
        f"{MANY}: CPU µs over the fixed answer's",
        f"{' / '.join(map(str, batches))}: windows/s, share of those in process",
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
