"""Converts the columns of a CSV table to series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

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
from fncast.series.csv.columns.columns import Columns
from fncast.series.csv.columns.keys import Keys, are_remarks, check_names, read_keys
from fncast.series.csv.columns.time_parts import check_time_parts
from fncast.series.csv.error import CsvError, quoted
from fncast.series.csv.numbers.decimal import decide_decimal
from fncast.series.csv.numbers.forms import Forms, find_forms, unit_of
from fncast.series.csv.numbers.values import read_values, text_error
from fncast.series.csv.options import CsvOptions
from fncast.series.csv.summary import Summary
from fncast.series.csv.table import CsvTable
from fncast.series.csv.times.moments import Moments
from fncast.series.csv.times.parser import read_times
from fncast.series.csv.times.times import SMALL, Times
from fncast.series.grid import Corrections, NoGrid, to_grid
from fncast.series.time_series import TimeSeries

# With more series in one file, the series column is most likely wrong.
MAX_SERIES = 10_000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _ValueColumn:
    """A column of numbers. values: (rows,) NaN if missing. texts: (rows,) which cells hold text."""

    at: int
    values: Floats
    texts: NDArray[np.bool_]
    unit: str | None


@dataclass
class SeriesReader:
    """Reads the series of one table. Used once: it frees the texts of the table as it goes.

    columns: their roles. summary: filled with what was read. own_name: of the series, if there is only one column.
    """

    table: CsvTable
    columns: Columns
    options: CsvOptions
    summary: Summary
    own_name: str
    _rejected: list[NoGrid] = field(default_factory=list)
    _times: Times = field(init=False)
    _moments: Moments = field(init=False)

    def read(self) -> Summary:
        """Read all readings into series. Returns what was read, guessed and left out. Raises CsvError."""
        table, columns, summary = self.table, self.columns, self.summary
        assert columns.time.form is not None
        self._times = read_times(table, columns.time.at, columns.time.form, columns.clock, self.options.dates)
        summary.notes += self._times.notes
        if columns.series_is_guessed:
            self._check_series_column()
        summary.skipped |= columns.skipped
        summary.harmless |= columns.harmless
        keys = self._keys()
        forms_by_column = {at: find_forms(table.columns[at]) for at in columns.values}
        decimals, notes = decide_decimal(table, forms_by_column, self.options.decimal)
        self._moments = Moments(table, columns.time.at, self._times, self.options.timezone)
        summary.notes += notes + self._moments.notes
        if not self._moments.is_converted and columns.time.at not in columns.values:
            table.release(columns.time.at)
        for at, forms in forms_by_column.items():
            self._read_column(at, forms, decimals[at], keys)
        if not summary.series:
            raise self._no_series()
        if keys is not None and len(columns.values) > 1:
            self._sort_by_key(keys)
        self._add_notes_on_times()
        return summary

    def _check_series_column(self) -> None:
        """Drop a guessed series column that holds remarks on the readings. Raises CsvError if it may hold numbers."""
        table, columns, times = self.table, self.columns, self._times
        [at] = columns.series
        are_values_given = self.options.value_columns is not None
        if not are_remarks(table, at, times.seconds, times.zone(None), are_values_given=are_values_given):
            check_names(table, at, times.seconds)
            if times.is_dates:
                check_time_parts(table, at, pc.unique(table.columns[at]).to_pylist())
            return
        columns.series = []
        if not are_values_given:
            example = next(text for text in pc.unique(table.columns[at]).to_pylist() if text.strip())
            self.summary.skipped[f"column {table.header[at]!r}"] = (
                f"it holds text, {quoted(example.strip())} and others"
            )

    def _keys(self) -> Keys | None:
        """The series of each row of a long file; None for a file without a series column."""
        if not self.columns.series:
            return None
        keys = read_keys(self.table, self.columns.series)
        if len(keys.names) * len(self.columns.values) > MAX_SERIES:
            raise CsvError(
                f"{self.table.name}: more than {MAX_SERIES} series; name the column of their names with --series-column"
            )
        return keys

    def _read_column(self, at: int, forms: Forms, decimal: str, keys: Keys | None) -> None:
        """Add the series of a column of values. Raises CsvError."""
        table, summary = self.table, self.summary
        summary.markers.update(forms.missing)
        unit = unit_of(forms)
        summary.units.update([unit] if unit is not None else [])
        if keys is None and not forms.numbers:
            what, reason = f"column {table.header[at]!r}", "text" if forms.texts else "no reading"
            summary.skipped[what] = f"it holds {reason}"
            return
        values, texts = read_values(table, at, forms, decimal)
        check_range(table, at, values)
        if (problem := marker_problem(values)) is not None:
            summary.problems_found.append(f"column {table.header[at]!r}: {problem}")
        if not forms.texts:
            table.release(at)
        column = _ValueColumn(at, values, texts, unit)
        for name, rows in self._groups(keys, at):
            self._add(name, rows, column)

    def _groups(self, keys: Keys | None, at: int) -> Iterator[tuple[str, NDArray[np.int64] | None]]:
        """The name and the rows of each series of a column; None for all rows."""
        column = self.table.header[at]
        if keys is None:
            yield (self.own_name if self.columns.is_alone else column), None
            return
        for name, rows in keys.groups():
            yield (name if len(self.columns.values) == 1 else f"{name}/{column}"), rows

    def _add(self, name: str, rows: NDArray[np.int64] | None, column: _ValueColumn) -> None:
        """Add the series of these rows of a column (None for all), or the reason why it is skipped. Raises CsvError."""
        chosen = slice(None) if rows is None else rows
        summary, what = self.summary, f"series {name!r}"
        values, texts = column.values[chosen], column.texts[chosen]
        has_readings = bool(np.isfinite(values).any())
        if texts.any():
            first = int(np.argmax(texts))
            row = first if rows is None else int(rows[first])
            if has_readings:
                raise text_error(self.table, column.at, row)
            text = self.table.columns[column.at][row].as_py().strip()
            summary.skipped[what] = f"it holds text such as {quoted(text)}"
            return
        if not has_readings:
            summary.skipped[what] = "it holds no reading"
            return
        try:
            series, corrections = self._on_grid(name, *self._moments.of(chosen, values))
        except NoGrid as error:
            self._check_repeats(name, self._times.seconds[chosen])
            self._rejected.append(error)
            summary.skipped[what] = str(error)
            return
        if corrections.exact_repeats + corrections.replaced > MAX_REPEATED_SHARE * corrections.readings:
            self._check_repeats(name, self._times.seconds[chosen])
        summary.series.append(replace(series, unit=column.unit))
        summary.corrections.append(corrections)

    def _on_grid(self, name: str, seconds: Floats, readings: Floats) -> tuple[TimeSeries, Corrections]:
        """The readings on the grid that moves the fewest of them. Raises NoGrid.

        Days of the given zone may be written in times of another offset: then midnight is 23:00 in half of the year.
        """
        zone, given = self._moments.zone, self.options.timezone
        series, corrections = to_grid(name, seconds, readings, self.options.step, zone)
        is_moved = corrections.off_grid or corrections.by_hours
        if not is_moved or given is None or given is zone or self._times.is_dates:
            return series, corrections
        in_given = to_grid(name, seconds, readings, self.options.step, given)
        return min((series, corrections), in_given, key=lambda each: each[1].off_grid + each[1].by_hours)

    def _check_repeats(self, name: str, seconds: Floats) -> None:
        """Raises CsvError if so many times repeat that the readings must belong to several series."""
        if not self.options.series_columns:
            check_repeats(self.table, self.columns, name, seconds, are_dates=self._times.is_dates)

    def _no_series(self) -> CsvError:
        """The error of a file without series."""
        summary = self.summary
        if self._rejected:
            return CsvError(f"{summary.name}: {self._rejected[0]}")
        why = "; ".join(f"{what}: {reason}" for what, reason in list(summary.skipped.items())[:5])
        return CsvError(f"{summary.name}: holds no readings ({why})")

    def _sort_by_key(self, keys: Keys) -> None:
        """Put the series of each key side by side."""
        names = [f"{name}/{self.table.header[at]}" for name in keys.names for at in self.columns.values]
        place = {name: at for at, name in enumerate(names)}
        self.summary.series.sort(key=lambda item: place[item.name])
        self.summary.corrections.sort(key=lambda item: place[item.series])

    def _add_notes_on_times(self) -> None:
        """Add to the summary what the user should check about the times."""
        summary, times = self.summary, self._times
        if self.options.timezone is None:
            summary.notes += zone_notes(summary, times)
        if times.form == SMALL:
            least, most = times.seconds.min(), times.seconds.max()
            summary.problems_found.append(f"the times {least:g} to {most:g} were read as seconds since 1970")
