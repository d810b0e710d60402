"""Reads series from a CSV file: `timestamp,value`, wide (one column for each series) or long (one names the series)."""

from __future__ import annotations

from pathlib import Path

from fncast.series.csv.columns.columns import default_header
from fncast.series.csv.columns.roles import find_columns
from fncast.series.csv.columns.series_columns import INFLUX_COLUMNS
from fncast.series.csv.error import CsvError
from fncast.series.csv.layout import find_layout
from fncast.series.csv.numbers.number import is_missing, parse_number
from fncast.series.csv.options import CsvOptions
from fncast.series.csv.series_reader import SeriesReader
from fncast.series.csv.source import read_text, series_name, source_name
from fncast.series.csv.summary import Summary
from fncast.series.csv.table import parse
from fncast.series.csv.times.parser import time_form
from fncast.series.time_series import TimeSeries

__all__ = ["CsvError", "CsvOptions", "Summary", "read_csv", "read_csv_file"]


def read_csv(path: str | Path, options: CsvOptions | None = None) -> list[TimeSeries]:
    """The series of a CSV file, each on a regular grid with NaN for missing readings. Raises CsvError."""
    return read_csv_file(path, options).series


def read_csv_file(path: str | Path, options: CsvOptions | None = None) -> Summary:
    """The series of a CSV file, with a summary of what was found, changed and left out.

    path: a file, plain or gzip; `-` is standard input. A file with one value column and no series column is one series
    with the name of the file. Missing options are found in the file. Raises CsvError.
    """
    path, options = Path(path), options or CsvOptions()
    name = source_name(path)
    content, notes = read_text(path)
    layout = find_layout(name, content, _holds_readings)
    header = layout.header or default_header(layout.width)
    table = parse(name, content, layout, header)
    del content
    columns = find_columns(table, options, layout.is_influx or INFLUX_COLUMNS.issubset(header))
    summary = Summary(name, len(table), notes=[*notes, *layout.notes, *table.notes])
    return SeriesReader(table, columns, options, summary, series_name(path)).read()


def _holds_readings(row: list[str]) -> bool:
    """Whether a row holds readings and is not a header: all numbers, or times and numbers."""
    cells = [cell.strip() for cell in row]
    numbers = sum(parse_number(cell) is not None or is_missing(cell) for cell in cells)
    times = sum(parse_number(cell) is None and time_form([cell]) is not None for cell in cells if cell)
    return any(cells) and (numbers == len(cells) or bool(times and numbers))
