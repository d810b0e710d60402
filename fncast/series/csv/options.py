"""The options for reading a file of readings. Options that are not given are found in the file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from fncast.series.step import Step


@dataclass(frozen=True)
class CsvOptions:
    """How to read a file of readings.

    time_column, value_columns, series_columns: names in the header. Several series columns form one name.
    timezone: of times without an offset; None for UTC. decimal: `point` or `comma`, if the numbers do not show it.
    dates: `day-first` or `month-first`, if the dates do not show it.
    """

    time_column: str | None = None
    value_columns: tuple[str, ...] | None = None
    series_columns: tuple[str, ...] = ()
    step: Step | None = None
    timezone: tzinfo | None = None
    decimal: str | None = None
    dates: str | None = None
