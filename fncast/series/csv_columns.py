"""Which column of a CSV file is what: as its caller says, else by its usual name, else by what it holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fncast.series.csv_cell import MAX_SHOWN, CsvError, is_empty, number, time

TIME_NAMES = ("timestamp", "time", "datetime", "date", "ds", "ts", "month", "year")
SERIES_NAMES = ("series", "series_id", "unique_id", "id", "item_id", "name", "subject")
# What has no name is no reading, but a table's index as pandas writes it (and names it, once read again), or what a
# comma at the end of each line leaves.
_UNNAMED = re.compile(r"(Unnamed: \d+)?")


@dataclass(frozen=True)
class Columns:
    """header: the columns' names. The others are positions; values: to the series' name in it, or its part.

    series_is_guessed: nothing but text says that a column names the series; it may be a remark on each reading."""

    header: tuple[str, ...]
    time: int
    values: dict[int, str]
    series: int | None
    series_is_guessed: bool = False


def read_header(path: Path, row: list[str]) -> list[str] | None:
    """The names of the columns, or None if the first line holds readings already. Raises CsvError."""
    names = [name.strip() for name in row]
    if len(names) < 2:
        shown = names[0][:MAX_SHOWN]
        raise CsvError(f"{path}, line 1: has one column only ({shown!r}); `timestamp,value` was expected")
    numbers = sum(number(name) is not None or is_empty(name) for name in names)
    times = sum(number(name) is None and time(name) is not None for name in names)
    return None if numbers == len(names) or (times and numbers) else names


def default_header(count: int) -> list[str]:
    """The names of the columns of a file without a header."""
    return (
        ["timestamp", "value"]
        if count == 2
        else ["timestamp", *(f"column_{i + 2}" for i in range(count - 1))]
    )


def find_columns(
    path: Path,
    header: list[str],
    rows: list[list[str]],
    time_column: str | None,
    value_columns: Sequence[str] | None,
    series_column: str | None,
) -> Columns:
    """rows: the first lines, to see which columns hold text. Raises CsvError."""

    def find(name: str) -> int:
        if name not in header:
            raise CsvError(f"{path}: there is no column {name!r}; the columns are {', '.join(header)}")
        return header.index(name)

    lower = [name.lower() for name in header]
    if time_column is not None:
        time_at = find(time_column)
    else:
        time_at = next((lower.index(name) for name in TIME_NAMES if name in lower), 0)
    others = [column for column in range(len(header)) if column != time_at]
    named = [
        column for column in others if not _UNNAMED.fullmatch(header[column]) or _holds_text(rows, column)
    ]
    others = named or others
    chosen = [find(name) for name in value_columns] if value_columns is not None else None

    series: int | None = None
    if series_column is not None:
        series = find(series_column)
    elif len(others) > 1:
        free = [column for column in others if chosen is None or column not in chosen]
        series = _guess_series(
            path, header, lower, rows, free, certain=chosen is not None, alone=len(others) == 2
        )
    values = [column for column in (others if chosen is None else chosen) if column not in (series, time_at)]
    if not values:
        raise CsvError(f"{path}: no column is left for the values; the columns are {', '.join(header)}")
    for column in (time_at, *([] if series is None else [series]), *values):
        if header.count(header[column]) > 1:
            places = ", ".join(str(at) for at, name in enumerate(header, start=1) if name == header[column])
            raise CsvError(
                f"{path}: columns {places} have one name, {header[column]!r}: their readings could not be told apart;"
                " rename them"
            )
    alone = len(others) == 1
    names = {c: path.stem if alone else header[c] for c in values}
    is_guessed = series is not None and series_column is None and lower[series] not in SERIES_NAMES
    return Columns(tuple(header), time_at, names, series, is_guessed)


def _guess_series(
    path: Path,
    header: list[str],
    lower: list[str],
    rows: list[list[str]],
    free: list[int],
    certain: bool,
    alone: bool,
) -> int | None:
    """The column that names the series: text with a usual name, else the only text; None if there is none.

    alone: beside the time there are two columns, of which one with a usual name may hold numbers."""
    texts = [column for column in free if _holds_text(rows, column)]
    named = [column for column in free if lower[column] in SERIES_NAMES and (column in texts or alone)]
    found = named or texts
    if len(found) > 1 and not certain:
        names = ", ".join(repr(header[column]) for column in found)
        raise CsvError(
            f"{path}: columns {names} hold text; say which one names the series, and which hold values"
        )
    return found[0] if len(found) == 1 else None


def _holds_text(rows: list[list[str]], column: int) -> bool:
    cells = [row[column] for row in rows if column < len(row) and not is_empty(row[column])]
    return bool(cells) and all(number(cell) is None for cell in cells)
