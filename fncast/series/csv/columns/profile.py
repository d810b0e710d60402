"""Profiles each column from some of its cells: times, numbers, text or empty."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from fncast.series.csv.numbers.number import is_missing, parse_number
from fncast.series.csv.table import CsvTable
from fncast.series.csv.times.parser import is_time_of_day, time_form

# Inspected cells: the first ones, and the same number spread over the file.
_CELLS = 500
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True)
class Profile:
    """One column. at: its position. cells: a sample, trimmed and without missing ones.

    form: the form of the cells as times, see `time_form`.
    """

    at: int
    name: str
    cells: tuple[str, ...]
    form: str | None
    is_clock: bool  # times of day
    is_text: bool  # most of it is neither a number nor missing
    is_padded: bool  # whole numbers with leading zeros

    @property
    def is_empty(self) -> bool:
        """Whether no inspected cell has content."""
        return not self.cells

    @property
    def key(self) -> str:
        """The name for comparisons: in lower case, with `_` for blanks, points and hyphens."""
        return re.sub(r"[\s.-]+", "_", self.name.strip().lower())


def profiles(table: CsvTable) -> list[Profile]:
    """The profiles of all columns, in the order of the header."""
    return [_profile(table, at) for at in range(len(table.header))]


def _profile(table: CsvTable, at: int) -> Profile:
    column = table.columns[at]
    if len(column) > 2 * _CELLS:
        spread = np.linspace(0, len(column) - 1, _CELLS).astype(np.int64)
        rows = np.unique(np.concatenate([np.arange(_CELLS), spread]))
        column = column.take(pa.array(rows))
    cells = tuple(text for cell in column.to_pylist() if not is_missing(text := cell.strip()))
    distinct = tuple(dict.fromkeys(cells))
    is_clock = is_time_of_day(distinct)
    is_padded = _is_padded(distinct)
    texts = sum(parse_number(cell) is None and _INFINITE.fullmatch(cell) is None for cell in distinct)
    return Profile(
        at,
        table.header[at],
        cells,
        time_form(distinct),
        is_clock,
        is_clock or 2 * texts > len(distinct) or is_padded,
        is_padded,
    )


def _is_padded(cells: tuple[str, ...]) -> bool:
    """Whether whole numbers have leading zeros, like identifiers and unlike readings."""
    return (
        bool(cells)
        and all(cell.isdigit() for cell in cells)
        and any(len(cell) > 1 and cell[0] == "0" for cell in cells)
    )
