"""Checks the readings of a column of a CSV file for likely mistakes."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from fncast.series.csv.columns.columns import Columns
from fncast.series.csv.error import CsvError, quoted, quoted_list
from fncast.series.csv.summary import Summary, count_text
from fncast.series.csv.table import CsvTable
from fncast.series.csv.times.times import DAY_S, Times
from fncast.series.window import MAX_MAGNITUDE

# Numbers that devices write for a missing reading: the limits of integers.
_LIMITS = frozenset((32_767.0, 65_535.0, 2_147_483_647.0, 4_294_967_295.0, -32_768.0, -2_147_483_648.0))
# Measuring stations write nines: -99.9, -9999, 9999.99, -9.99E+08.
_NEGATIVE_NINES, _POSITIVE_NINES = re.compile("99+0*"), re.compile("999+0*")
# With a larger share of repeated times, the readings belong to several series.
MAX_REPEATED_SHARE = 0.1

Floats = NDArray[np.float64]


def check_range(table: CsvTable, at: int, values: Floats) -> None:
    """Raises CsvError for a reading that is too large for a model. at: the column of the values."""
    with np.errstate(invalid="ignore"):
        beyond = np.abs(values) > MAX_MAGNITUDE
    if beyond.any():
        row = int(np.argmax(beyond))
        cell = table.columns[at][row].as_py().strip()
        raise CsvError(
            f"{table.name}, line {table.line(row)}: {quoted(cell)} (column {quoted(table.header[at])})"
            f" is beyond ±{MAX_MAGNITUDE:g}, too large for a model; leave the cell empty if the reading is wrong"
        )


def marker_problem(values: Floats) -> str | None:
    """A sentence about a number that may mark a missing reading; None if there is none.

    Such a number is a usual marker that is far from all other readings, or the only number of its column.
    """
    known = values[np.isfinite(values)]
    marker = next((each for each in _lowest_and_highest(known) if _may_mark_missing(each)), None)
    if marker is None:
        return None
    others = known[known != marker]
    if len(others) and float((others / marker).max()) >= 0.5:
        return None
    count = int((known == marker).sum())
    return (
        f"{marker:g} occurs {count_text(count)} and was read as a number; if it marks a missing reading, leave those"
        " cells empty"
    )


def _may_mark_missing(number: float) -> bool:
    """Whether programs use this number for a missing reading."""
    if number in _LIMITS:
        return True
    nines = _NEGATIVE_NINES if number < 0 else _POSITIVE_NINES
    digits = np.format_float_positional(abs(number), trim="-").replace(".", "")
    return abs(number) >= (99 if number < 0 else 999) and nines.fullmatch(digits) is not None


def _lowest_and_highest(known: Floats) -> tuple[float, ...]:
    """The lowest and the highest number; empty without numbers."""
    return (float(known.min()), float(known.max())) if len(known) else ()


def check_repeats(table: CsvTable, columns: Columns, name: str, seconds: Floats, are_dates: bool) -> None:
    """Raises CsvError if so many times of a series repeat that its readings must belong to several series."""
    distinct, counts = np.unique(seconds, return_counts=True)
    repeated = len(seconds) - len(distinct)
    if len(seconds) < 3 or repeated <= MAX_REPEATED_SHARE * len(seconds):
        return
    repeats = distinct[counts > 1]
    if counts.max() == 2 and np.ptp(repeats) < 3600 and 2 * len(repeats) < len(distinct) and not are_dates:
        return  # at most one hour, and not most times: corrections, or the clocks were set back
    taken = (columns.time.at, columns.clock)
    others = [header for at, header in enumerate(table.header) if at not in taken]
    raise CsvError(
        f"{table.name}: {repeated} of {len(seconds)} readings of series {name!r} have a repeated"
        f" time; say which column names the series with --series-column (the columns are {quoted_list(others)}),"
        " or write date and time of day into one column"
    )


def zone_notes(summary: Summary, times: Times) -> list[str]:
    """Notes on times that may be local times of a zone. summary: of the file, with all its series."""
    notes = []
    if summary.repeated and times.is_local.any() and not times.is_dates:
        notes.append(
            "times without an offset were read as UTC; if they are local times, the repeated ones may be in the"
            " hour that occurs twice: pass --timezone, such as --timezone Europe/Berlin"
        )
    is_daily = any(each.step.period_s is None or each.step.period_s % DAY_S == 0 for each in summary.series)
    if any(each.by_hours for each in summary.corrections):
        notes.append(
            "some months begin at another hour; if they are months of a time zone, pass --timezone, such as"
            " --timezone Europe/Berlin"
        )
    elif summary.moved and len(times.offsets) > 1 and is_daily:
        notes.append(
            "the times have different offsets from UTC; if the days are those of one time zone, pass --timezone,"
            " such as --timezone Europe/Berlin"
        )
    return notes
