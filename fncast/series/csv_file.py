"""Reads series from a CSV file: `timestamp,value`, wide (a column a series) or long (a column names them)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from fncast.series.csv_cell import CsvError, read_time, read_value
from fncast.series.csv_columns import Columns, default_header, find_columns, read_header
from fncast.series.grid import Mended, NoGrid, to_grid
from fncast.series.series import Series
from fncast.series.step import Step

__all__ = ["CsvError", "read_csv", "read_csv_mended"]

# A file is read at once; this is some 10 million readings, more than a training run can use.
MAX_FILE_BYTES = 512 * 1024 * 1024
# Beyond this many series in one file, the column taken for the series' name is most likely not one.
MAX_SERIES = 10_000
# What one series may lack, of as many readings as it has, to be taken for one rather than for a series a text.
MAX_LACKING_SHARE = 0.1
# Lines looked at to see which columns hold text.
_LINES_AHEAD = 50

_Line = tuple[int, list[str]]


@dataclass
class _Readings:
    times_s: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


def read_csv(
    path: str | Path,
    *,
    time_column: str | None = None,
    value_columns: Sequence[str] | None = None,
    series_column: str | None = None,
    step: Step | None = None,
) -> list[Series]:
    """The series of a CSV file, each on a regular grid with NaN where a reading is missing.

    Times are RFC 3339, without an offset UTC; or seconds (or milliseconds) since 1970; or a year, or a
    year-month. A file with one value column and no series column is one series named like the file. Columns
    that are not named are guessed from the header and the first lines; the step is found unless given. Raises CsvError.
    """
    pairs = read_csv_mended(
        path, time_column=time_column, value_columns=value_columns, series_column=series_column, step=step
    )
    return [series for series, _ in pairs]


def read_csv_mended(
    path: str | Path,
    *,
    time_column: str | None = None,
    value_columns: Sequence[str] | None = None,
    series_column: str | None = None,
    step: Step | None = None,
) -> list[tuple[Series, Mended]]:
    """As `read_csv`, each series with what was changed to make it regular."""
    path = Path(path)
    text = _text(path)
    first = next(_lines(path, text), None)
    if first is None:
        raise CsvError(f"{path}: the file is empty; a header `timestamp,value` and readings were expected")
    named = read_header(path, first[1])
    header = named or default_header(len(first[1]))

    def rows() -> Iterator[_Line]:
        return islice(_lines(path, text), 0 if named is None else 1, None)

    ahead = list(islice(rows(), _LINES_AHEAD))
    if not ahead:
        raise CsvError(f"{path}: has a header but no readings; add lines such as `2026-01-01T00:00:00Z,1.5`")
    columns = find_columns(path, header, [row for _, row in ahead], time_column, value_columns, series_column)
    if columns.series_is_guessed and _are_remarks(path, rows(), columns):
        columns = replace(columns, series=None)
    found: dict[str, _Readings] = {}
    for number, row in rows():
        _take(path, number, row, columns, found)
    try:
        return [to_grid(name, np.array(r.times_s), np.array(r.values), step) for name, r in found.items()]
    except NoGrid as error:
        raise CsvError(f"{path}: {error}") from None


def _are_remarks(path: Path, rows: Iterable[_Line], columns: Columns) -> bool:
    """Whether a column of text tells something of each reading (the weather, a holiday) and not whose it is.

    It does where all lines together are one regular series, no time of which comes with two texts, and those of each
    text by itself are full of gaps. Raises CsvError."""
    texts: dict[float, str] = {}
    for number, row in rows:
        _check_fields(path, number, row, columns)
        time_s, text = read_time(path, number, row[columns.time]), row[columns.series or 0].strip()
        if texts.setdefault(time_s, text) != text:
            return False
    of_each: dict[str, list[float]] = {}
    for time_s, text in texts.items():
        of_each.setdefault(text, []).append(time_s)
    few = MAX_LACKING_SHARE * len(texts)
    return _lacking(list(texts)) <= few < sum(_lacking(times_s) for times_s in of_each.values())


def _lacking(times_s: list[float]) -> float:
    """How many readings are missing between these times, or lie between two steps."""
    try:
        _, mended = to_grid("", np.array(times_s), np.zeros(len(times_s)))
    except NoGrid:
        return len(times_s)
    return mended.missing + mended.off_grid + mended.replaced


def _check_fields(path: Path, number: int, row: list[str], columns: Columns) -> None:
    """Raises CsvError."""
    if len(row) != len(columns.header):
        raise CsvError(
            f"{path}, line {number}: has {len(row)} fields, the header {len(columns.header)}; mend the line"
        )


def _take(path: Path, number: int, row: list[str], columns: Columns, found: dict[str, _Readings]) -> None:
    """Add the readings of one line."""
    _check_fields(path, number, row, columns)
    time_s = read_time(path, number, row[columns.time])
    subject = None if columns.series is None else row[columns.series].strip()
    if subject == "":
        raise CsvError(f"{path}, line {number}: the series' name is empty; fill it in or remove the line")
    for column, own_name in columns.values.items():
        if subject is None:
            name = own_name
        else:
            name = subject if len(columns.values) == 1 else f"{subject}/{own_name}"
        readings = found.get(name)
        if readings is None:
            if len(found) == MAX_SERIES:
                raise CsvError(
                    f"{path}, line {number}: more than {MAX_SERIES} series; say which column tells them apart"
                )
            readings = found[name] = _Readings()
        readings.times_s.append(time_s)
        readings.values.append(read_value(path, number, row[column], columns.header[column]))


def _text(path: Path) -> str:
    try:
        if path.is_dir():
            raise CsvError(f"{path}: is a folder; name the CSV files in it, such as {path / '*.csv'}")
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise CsvError(
                f"{path}: has {size} bytes, more than {MAX_FILE_BYTES}; split it, or keep its latest part"
            )
        content = path.read_bytes()
    except FileNotFoundError:
        raise CsvError(f"{path}: there is no such file") from None
    except OSError as error:
        raise CsvError(f"{path}: cannot be read: {error.strerror or error}") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CsvError(f"{path}: is UTF-16 text; save it as UTF-8")
    if b"\0" in content:
        raise CsvError(f"{path}: is not a text file; CSV text such as `timestamp,value` was expected")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise CsvError(
            f"{path}, line {line}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8"
        ) from None


def _lines(path: Path, text: str) -> Iterator[_Line]:
    """Each line that is not empty with its number, split at the delimiter that the first line shows."""
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        for row in reader:
            if row and any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise CsvError(f"{path}, line {reader.line_num}: is not CSV: {error}") from None
