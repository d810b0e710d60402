"""Results: tables and a chart, printed as Markdown and kept as JSON in benchmarks/results/.

`benchmarks/lib/pages.py` generates the pages of the documentation from these files.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.lib.spread import Spread, figure

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
CHARTS = ROOT / "docs" / "performance"

Cell = str | float | Spread


@dataclass(frozen=True)
class Table:
    """Named rows of figures; the first cell of a row is its name."""

    name: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def __str__(self) -> str:
        rows = [list(map(cell_text, row)) for row in self.rows]
        return f"{self.name}\n\n{markdown_table(self.heads, rows)}"


@dataclass(frozen=True)
class Chart:
    """An SVG file in docs/performance/."""

    title: str
    file: str

    def __str__(self) -> str:
        return f"![{self.title}](performance/{self.file})"


Block = str | Table | Chart


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, has_figures: bool = True) -> str:
    """Return a table in Markdown. has_figures: all columns but the first are aligned to the right."""
    alignment = "---:" if has_figures else "---"
    lines = [heads, ["---", *[alignment] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell_text(cell: Cell) -> str:
    """Return a cell as text: three digits, and the range if it has one."""
    if isinstance(cell, str):
        return cell
    return str(cell) if isinstance(cell, Spread) else figure(cell)


def markdown(blocks: Sequence[Block | None]) -> str:
    """Return the blocks as Markdown; empty ones are left out."""
    return "\n\n".join(str(block) for block in blocks if block)


def chart_folder(print_only: bool) -> Path | None:
    """Return the folder for charts; None if nothing is to be written."""
    return None if print_only else CHARTS


def save(section: str, facts: dict[str, Any], blocks: Sequence[Block | None], folder: Path = RESULTS) -> None:
    """Print the blocks and write `folder`/`section`.json: facts, notes, tables and the chart's file."""
    print(markdown(blocks))
    tables = [block for block in blocks if isinstance(block, Table)]
    chart = next((block.file for block in blocks if isinstance(block, Chart)), None)
    result = {
        **facts,
        "notes": [block for block in blocks if isinstance(block, str) and block],
        "chart": chart,
        "tables": {
            table.name: {
                "columns": list(table.heads),
                "rows": [[_to_json(cell) for cell in row] for row in table.rows],
            }
            for table in tables
        },
    }
    folder.mkdir(exist_ok=True)
    file = folder / f"{section}.json"
    file.write_text(_layout(result), "utf-8")
    print(f"written to {file.name}", file=sys.stderr)


def load(section: str, folder: Path = RESULTS) -> dict[str, Any]:
    """Return what `save` wrote. Raises OSError, ValueError."""
    result: dict[str, Any] = json.loads((folder / f"{section}.json").read_text("utf-8"))
    return result


def cell(result: dict[str, Any], table: str, row: str, column: str) -> Spread:
    """Return one figure. Raises KeyError if its table, row or column is missing, or if the cell is not a figure."""
    columns, rows = result["tables"][table]["columns"], result["tables"][table]["rows"]
    index = {name: number for number, name in enumerate(columns)}[column]
    value = {cells[0]: cells for cells in rows}[row][index]
    if isinstance(value, dict):
        return Spread(value["low"], value["median"], value["high"])
    if isinstance(value, int | float):
        return Spread.of([float(value)])
    raise KeyError(f"{table}, {row}, {column}: {value!r} is not a figure")


def _to_json(cell: Cell) -> object:
    """Return a cell for a result: a range as an object, NaN as null, seven digits."""
    if isinstance(cell, Spread):
        low, median, high = (_to_json(value) for value in (cell.low, cell.median, cell.high))
        return median if low == high else {"median": median, "low": low, "high": high}
    if isinstance(cell, str):
        return cell
    if math.isnan(cell):
        return None
    rounded = float(f"{cell:.7g}")
    return int(rounded) if rounded.is_integer() else rounded


def _layout(result: dict[str, Any]) -> str:
    """Return indented JSON with each row of a table on one line."""
    rows: dict[str, str] = {}  # by the placeholder that stands for the row while the rest is indented

    def placeholder(row: list[object]) -> str:
        name = f"@{len(rows)}@"
        rows[f'"{name}"'] = json.dumps(row, ensure_ascii=False)
        return name

    tables = {
        name: {**table, "rows": [placeholder(row) for row in table["rows"]]}
        for name, table in result["tables"].items()
    }
    document = json.dumps({**result, "tables": tables}, indent=1, ensure_ascii=False)
    for name, row in rows.items():
        document = document.replace(name, row)
    return document + "\n"
