"""Texts of CSV files for the tests of the parser, and what is read from them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from fncast.series.csv.file import CsvOptions, read_csv_file
from fncast.series.csv.summary import Summary
from fncast.series.csv.times.zone import find_zone

HOURS = [f"2026-01-01T{hour:02}:00Z" for hour in range(24)]
START = datetime(2026, 1, 1, tzinfo=UTC)
BERLIN = find_zone("Europe/Berlin")


def lines(header: str, line: Callable[[int], str], count: int = 10) -> str:
    """The header and `count` lines."""
    return "\n".join([header, *(line(i) for i in range(count))]) + "\n"


def read(folder: Path, text: str | bytes, **options: object) -> Summary:
    """Write the text to a file and read it."""
    path = folder / "file.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_csv_file(path, CsvOptions(**options))  # type: ignore[arg-type]


def values(summary: Summary) -> dict[str, list[float]]:
    """The readings by series."""
    return {series.name: series.values.tolist() for series in summary.series}


def local(folder: Path, times: list[str], **options: object) -> Summary:
    """Read a file with these times and the values 0, 1, 2, ..."""
    return read(folder, lines("time,value", lambda i: f"{times[i]},{i}", len(times)), **options)
