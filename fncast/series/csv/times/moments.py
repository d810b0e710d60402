"""Converts the times of a file to moments in UTC."""

from __future__ import annotations

from datetime import tzinfo

import numpy as np
from numpy.typing import NDArray

from fncast.series.csv.error import CsvError, quoted
from fncast.series.csv.table import CsvTable
from fncast.series.csv.times.times import Floats, Times
from fncast.series.csv.times.zone import LocalClock

Rows = NDArray[np.int64] | slice


class Moments:
    """The moments of the rows of a table.

    zone: the zone of days and months, for `to_grid`. notes: how the times were read. is_converted: whether local times
    are converted; dates never are.
    """

    def __init__(self, table: CsvTable, at: int, times: Times, timezone: tzinfo | None) -> None:
        """at: the column of the times. timezone: of times without an offset; None for UTC."""
        self._table = table
        self._at = at
        self._times = times
        self._timezone = timezone
        self.notes: list[str] = []
        self._clock = self._local_clock()
        self.is_converted = self._clock is not None
        uses_timezone = self.is_converted or not times.is_local.any()
        self.zone = times.zone(timezone if uses_timezone else None)

    def of(self, rows: Rows, values: Floats) -> tuple[Floats, Floats]:
        """Seconds since 1970 UTC of the rows of one series, and their values.

        values: (rows,) NaN if missing. A local time that does not exist is dropped if it has no reading: some programs
        fill the hour that the clocks skip. With a reading it raises CsvError.
        """
        seconds: Floats = self._times.seconds[rows]
        if self._clock is None:
            return seconds, values
        moments = seconds.copy()
        local = np.flatnonzero(self._times.is_local[rows])
        moments[local], skipped = self._clock.to_utc(seconds[local])
        nonexistent = local[skipped]
        wrong = nonexistent[~np.isnan(values[nonexistent])]
        if len(wrong):
            row = int(wrong[0]) if isinstance(rows, slice) else int(rows[wrong[0]])
            cell = self._table.columns[self._at][row].as_py().strip()
            raise CsvError(
                f"{self._table.name}, line {self._table.line(row)}: {quoted(cell)} does not exist in"
                f" {self._timezone}: the clocks were set forward; correct the time, or leave --timezone out"
            )
        return np.delete(moments, nonexistent), np.delete(values, nonexistent)

    def _local_clock(self) -> LocalClock | None:
        """The clock of the time zone; None if no times must be converted."""
        times = self._times
        if self._timezone is None or times.is_dates or not times.is_local.any():
            return None
        local = times.seconds[times.is_local]
        if len(np.unique(local % 86_400)) == 1 and len(local) > 2 and np.ptp(local) >= 86_400:
            self.notes.append(
                "all times have the same time of day: they were read as dates and not converted to UTC"
            )
            return None
        return LocalClock(self._timezone, float(local.min()), float(local.max()))
