"""Files of readings, for tests."""

from __future__ import annotations

from pathlib import Path

from fncast.series.csv.file import read_csv_file
from fncast.series.grid import Corrections
from fncast.series.time_series import TimeSeries


def write(folder: Path, text: str | bytes, name: str = "cpu.csv") -> Path:
    """Write a file of readings. Returns its path."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read_one(folder: Path, text: str | bytes) -> tuple[TimeSeries, Corrections]:
    """The only series of a file with this text, and what was changed."""
    summary = read_csv_file(write(folder, text))
    [series], [corrections] = summary.series, summary.corrections
    return series, corrections
