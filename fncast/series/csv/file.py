"""Reads series from a CSV file: `timestamp,value`, wide (a column a series) or long (a column names them)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from fncast.series.csv.checks import (
    MAX_REPEATED_SHARE,
    check_range,
    check_repeats,
    marker_problem,
    zone_notes,
)
from fncast.series.csv.columns.columns import Columns, default_header
from fncast.series.csv.columns.keys import Keys, are_remarks, check_names, read_keys
from fncast.series.csv.columns.roles import find_columns
from fncast.series.csv.columns.series_columns import INFLUX_COLUMNS
from fncast.series.csv.error import CsvError, shown
from fncast.series.csv.layout import find_layout
from fncast.series.csv.numbers.decimal import decide_decimal
from fncast.series.csv.numbers.forms import look, unit_of
from fncast.series.csv.numbers.number import is_missing, parse_number
from fncast.series.csv.numbers.values import read_values, text_error
from fncast.series.csv.options import CsvOptions
from fncast.series.csv.source import read_text, series_name, source_name
from fncast.series.csv.summary import Summary
from fncast.series.csv.table import CsvTable, parse
from fncast.series.csv.times.parser import read_times, time_form
from fncast.series.csv.times.times import SMALL, Times
from fncast.series.csv.times.zone import LocalClock
from fncast.series.grid import NoGrid, to_grid
from fncast.series.time_series import TimeSeries

__all__ = ["CsvError", "CsvOptions", "Summary", "read_csv", "read_csv_file"]

# With more series in one file, the series column is most likely wrong.
MAX_SERIES = 10_000

Floats = NDArray[np.float64]


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
    return _Reader(table, columns, options, summary, series_name(path)).read()


def _holds_readings(row: list[str]) -> bool:
    """Whether a row holds readings and is not a header: all numbers, or times and numbers."""
    cells = [cell.strip() for cell in row]
    numbers = sum(parse_number(cell) is not None or is_missing(cell) for cell in cells)
    times = sum(parse_number(cell) is None and time_form([cell]) is not None for cell in cells if cell)
    return any(cells) and (numbers == len(cells) or bool(times and numbers))


@dataclass
class _Reader:
    """Reads one file: converts columns of text to series and fills its summary."""

    table: CsvTable
    columns: Columns
    options: CsvOptions
    summary: Summary
    own_name: str
    refused: list[NoGrid] = field(default_factory=list)

    def read(self) -> Summary:
        """Read all readings into series. Returns what was read, guessed and left out. Raises CsvError."""
        table, columns, summary = self.table, self.columns, self.summary
        assert columns.time.form is not None
        times = read_times(table, columns.time.at, columns.time.form, columns.clock, self.options.dates)
        summary.notes += times.notes
        if columns.series_is_guessed and are_remarks(
            table,
            columns.series[0],
            times.seconds,
            times.zone(None),
            are_values_given=self.options.value_columns is not None,
        ):
            at = columns.series[0]
            columns.series = []
            if self.options.value_columns is None:
                example = next(text for text in pc.unique(table.columns[at]).to_pylist() if text.strip())
                summary.skipped[f"column {table.header[at]!r}"] = (
                    f"it holds text, {shown(example.strip())} and others"
                )
        elif columns.series_is_guessed:
            check_names(table, columns.series[0], times.seconds)
        summary.skipped |= columns.skipped
        summary.harmless |= columns.harmless
        keys = read_keys(table, columns.series) if columns.series else None
        if keys is not None and len(keys.names) * len(columns.values) > MAX_SERIES:
            raise CsvError(
                f"{table.name}: more than {MAX_SERIES} series; name the column of their names with --series-column"
            )
        looked = {at: look(table.columns[at]) for at in columns.values}
        decimals, notes = decide_decimal(table, looked, self.options.decimal)
        summary.notes += notes
        clock = self._local_clock(times)
        zone = times.zone(self.options.timezone if clock is not None or not times.is_local.any() else None)
        if clock is None and columns.time.at not in columns.values:
            table.release(columns.time.at)
        for at, forms in looked.items():
            summary.markers.update(forms.missing)
            unit = unit_of(forms)
            summary.units.update([unit] if unit is not None else [])
            if keys is None and not forms.numbers:
                what, reason = f"column {table.header[at]!r}", "text" if forms.texts else "no reading"
                summary.skipped[what] = f"it holds {reason}"
                continue
            values, texts = read_values(table, at, forms, decimals[at])
            check_range(table, at, values)
            if (problem := marker_problem(values)) is not None:
                summary.problems_found.append(f"column {table.header[at]!r}: {problem}")
            if not forms.texts:
                table.release(at)
            for name, rows in self._groups(keys, at):
                self._add(name, rows, values, texts, at, times, clock, zone, unit)
        self._finish(times, keys)
        return summary

    def _add(
        self,
        name: str,
        rows: NDArray[np.int64] | None,
        values: Floats,
        texts: NDArray[np.bool_],
        at: int,
        times: Times,
        clock: LocalClock | None,
        zone: tzinfo,
        unit: str | None,
    ) -> None:
        """Add the series of these rows of a column (None for all), or the reason why it is skipped. Raises CsvError."""
        chosen = slice(None) if rows is None else rows
        summary, what = self.summary, f"series {name!r}"
        has_readings = bool(np.isfinite(values[chosen]).any())
        if texts[chosen].any():
            first = int(np.argmax(texts[chosen]))
            row = first if rows is None else int(rows[first])
            if has_readings:
                raise text_error(self.table, at, row)
            summary.skipped[what] = (
                f"it holds text such as {shown(self.table.columns[at][row].as_py().strip())}"
            )
            return
        if not has_readings:
            summary.skipped[what] = "it holds no reading"
            return
        seconds, readings = self._moments(clock, times, chosen, values[chosen])
        try:
            series, mended = to_grid(name, seconds, readings, self.options.step, zone)
            given = self.options.timezone
            if (
                (mended.off_grid or mended.by_hours)
                and given is not None
                and zone is not given
                and not times.is_dates
            ):
                # Days of the given zone, in times of another offset: midnight is 23:00 in one half of the year.
                in_given = to_grid(name, seconds, readings, self.options.step, given)
                series, mended = min(
                    (series, mended), in_given, key=lambda each: each[1].off_grid + each[1].by_hours
                )
        except NoGrid as error:
            self._check_repeats(name, times, times.seconds[chosen])
            self.refused.append(error)
            summary.skipped[what] = str(error)
            return
        if mended.exact_repeats + mended.replaced > MAX_REPEATED_SHARE * mended.readings:
            self._check_repeats(name, times, times.seconds[chosen])
        summary.series.append(replace(series, unit=unit))
        summary.mended.append(mended)

    def _groups(self, keys: Keys | None, at: int) -> Iterator[tuple[str, NDArray[np.int64] | None]]:
        """The name and the rows of each series of a column; None for all rows."""
        column = self.table.header[at]
        if keys is None:
            yield (self.own_name if self.columns.is_alone else column), None
            return
        for name, rows in keys.groups():
            yield (name if len(self.columns.values) == 1 else f"{name}/{column}"), rows

    def _names(self, keys: Keys) -> Iterator[str]:
        """The names of the series of a long file, ordered by key."""
        return (f"{name}/{self.table.header[at]}" for name in keys.names for at in self.columns.values)

    def _local_clock(self, times: Times) -> LocalClock | None:
        """The clock of --timezone; None if no times must be converted. Dates are never converted."""
        if self.options.timezone is None or times.is_dates or not times.is_local.any():
            return None
        local = times.seconds[times.is_local]
        if len(np.unique(local % 86_400)) == 1 and len(local) > 2 and np.ptp(local) >= 86_400:
            self.summary.notes.append(
                "all times have the same time of day: they were read as dates and not converted to UTC"
            )
            return None
        return LocalClock(self.options.timezone, float(local.min()), float(local.max()))

    def _moments(
        self, clock: LocalClock | None, times: Times, rows: NDArray[np.int64] | slice, values: Floats
    ) -> tuple[Floats, Floats]:
        """Seconds since 1970 UTC of the rows of one series, and their values.

        A local time that does not exist is dropped if it has no reading: some programs fill the hour that the clocks
        skip. With a reading it raises CsvError.
        """
        seconds: Floats = times.seconds[rows]
        if clock is None:
            return seconds, values
        moments = seconds.copy()
        local = np.flatnonzero(times.is_local[rows])
        moments[local], skipped = clock.to_utc(seconds[local])
        never = local[skipped]
        wrong = never[~np.isnan(values[never])]
        if len(wrong):
            row = int(wrong[0]) if isinstance(rows, slice) else int(rows[wrong[0]])
            cell = self.table.columns[self.columns.time.at][row].as_py().strip()
            raise CsvError(
                f"{self.table.name}, line {self.table.line(row)}: {shown(cell)} does not exist in"
                f" {self.options.timezone}: the clocks were set forward; correct the time, or leave --timezone out"
            )
        return np.delete(moments, never), np.delete(values, never)

    def _check_repeats(self, name: str, times: Times, seconds: Floats) -> None:
        """Raises CsvError if so many times repeat that the readings must belong to several series."""
        if not self.options.series_columns:
            check_repeats(self.table, self.columns, name, seconds, are_dates=times.is_dates)

    def _finish(self, times: Times, keys: Keys | None) -> None:
        """Sort the series and add notes about the times. Raises CsvError if there is no series."""
        summary = self.summary
        if not summary.series:
            if self.refused:
                raise CsvError(f"{summary.name}: {self.refused[0]}")
            why = "; ".join(f"{what}: {reason}" for what, reason in list(summary.skipped.items())[:5])
            raise CsvError(f"{summary.name}: holds no readings ({why})")
        if keys is not None and len(self.columns.values) > 1:  # keep the series of one key together
            place = {name: at for at, name in enumerate(self._names(keys))}
            summary.series.sort(key=lambda item: place[item.name])
            summary.mended.sort(key=lambda item: place[item.series])
        if self.options.timezone is None:
            summary.notes += zone_notes(summary, times)
        if times.form == SMALL:
            least, most = times.seconds.min(), times.seconds.max()
            summary.problems_found.append(f"the times {least:g} to {most:g} were read as seconds since 1970")
