"""Finds the role of each column of a CSV file: by the options, else by its content, else by its usual name."""

from __future__ import annotations

import itertools
import re

import pyarrow.compute as pc

from fncast.series.csv.columns.columns import Columns
from fncast.series.csv.columns.profile import Profile, profiles
from fncast.series.csv.columns.series_columns import INFLUX_OWN, SERIES_NAMES, guess_series, influx_series
from fncast.series.csv.columns.time_column import find_clock, find_time
from fncast.series.csv.error import CsvError, quoted
from fncast.series.csv.options import CsvOptions
from fncast.series.csv.table import CsvTable

# A column without a name is not read: it is an index that pandas wrote, or the rest after a comma at the line's end.
_UNNAMED = re.compile(r"(Unnamed: \d+([._]\w+)?)?")
_ROW_NUMBER = re.compile("[0-9]{1,18}")
_ROW_NUMBERS = frozenset(
    ("id", "index", "idx", "no", "nr", "row", "row_id", "record_id", "#", "lfd_nr", "rownum")
)


def find_columns(table: CsvTable, options: CsvOptions, is_influx: bool) -> Columns:
    """Find the role of each column. Raises CsvError, which names the candidates and the flag if there are several."""
    found = profiles(table)
    time = _time_column(table, found, options, is_influx)
    clock = find_clock(time, found)
    if time.form is None:
        raise CsvError(
            f"{table.name}: column {time.name!r} holds times of day, but no column holds dates; add a column of dates"
        )
    chosen = None
    if options.value_columns is not None:
        chosen = [_named(table, found, name) for name in options.value_columns]
    others = [profile for profile in found if profile.at not in (time.at, clock)]
    named = [profile for profile in others if not _UNNAMED.fullmatch(profile.name)]
    columns = Columns(time, clock, [], [], is_alone=len(named or others) == 1)
    if named:
        others = _without_unnamed(columns, others, are_values_given=chosen is not None)
    free = [profile for profile in others if chosen is None or profile not in chosen]
    if options.series_columns:
        columns.series = [_named(table, found, name).at for name in options.series_columns]
    elif is_influx:
        columns.series = influx_series(table, columns, free)
        others = [profile for profile in others if profile.key not in INFLUX_OWN]
    elif chosen is not None or len(others) > 1:
        guess_series(table, columns, free, are_values_given=chosen is not None)
    if chosen is None:
        _find_values(table, columns, others)
    else:
        taken = (time.at, clock, *columns.series)
        columns.values = [profile.at for profile in chosen if profile.at not in taken]
    _check(table, columns)
    return columns


def _time_column(table: CsvTable, found: list[Profile], options: CsvOptions, is_influx: bool) -> Profile:
    """The column that --time-column names, else the one that holds times. Raises CsvError."""
    if options.time_column is None:
        return find_time(
            table, [profile for profile in found if not is_influx or profile.key not in INFLUX_OWN]
        )
    time = _named(table, found, options.time_column)
    if time.form is None and not time.is_clock:
        example = f", but {quoted(time.cells[0])}" if time.cells else ""
        raise CsvError(
            f"{table.name}: column {time.name!r} holds no times{example}; name another --time-column"
        )
    return time


def _named(table: CsvTable, found: list[Profile], name: str) -> Profile:
    """The column with this name. Raises CsvError if there is none, or more than one."""
    if name not in table.header:
        raise CsvError(
            f"{table.name}: there is no column {name!r}; the columns are {', '.join(table.header)}"
        )
    if table.header.count(name) > 1:
        raise _same_name_error(table, name)
    return found[table.header.index(name)]


def _without_unnamed(columns: Columns, others: list[Profile], *, are_values_given: bool) -> list[Profile]:
    """The columns that have a name, or hold text: an index of texts may name the series. Notes the skipped ones."""
    kept = []
    for profile in others:
        holds_text = profile.is_text and not profile.is_empty
        if not _UNNAMED.fullmatch(profile.name) or holds_text:
            kept.append(profile)
            continue
        what = f"column {profile.at + 1}"
        if not are_values_given:
            columns.skipped[what] = "it has no name"
        if profile.is_empty:
            columns.harmless.add(what)
    return kept


def _find_values(table: CsvTable, columns: Columns, others: list[Profile]) -> None:
    """Set the columns of values: all that hold readings and do not name the series. Notes the skipped ones."""
    for profile in others:
        label = _label(table, profile)
        if profile.at in columns.series or label in columns.skipped:
            continue
        reason = _reason(table, profile)
        if reason is None:
            columns.values.append(profile.at)
        else:
            columns.skipped[label] = reason
    if not columns.values:
        _take_padded(table, columns, others)


def _label(table: CsvTable, profile: Profile) -> str:
    """The column in messages: by name if only the first column with that name is meant, else by number."""
    if not profile.name:
        return f"column {profile.at + 1}"
    is_first = table.header.index(profile.name) == profile.at
    return f"column {profile.name!r}" if is_first else f"column {profile.at + 1} ({profile.name!r})"


def _take_padded(table: CsvTable, columns: Columns, others: list[Profile]) -> None:
    """Where no column holds values, take those with leading zeros: meters show readings in this form."""
    for profile in others:
        if profile.is_padded and profile.at not in columns.series and profile.key not in SERIES_NAMES:
            columns.values.append(profile.at)
            columns.skipped.pop(_label(table, profile), None)


def _check(table: CsvTable, columns: Columns) -> None:
    if not columns.values:
        why = "; ".join(f"{what}: {reason}" for what, reason in list(columns.skipped.items())[:5])
        raise CsvError(
            f"{table.name}: no column is left for the values; the columns are {', '.join(table.header)}"
            + (f" ({why})" if why else "")
        )
    for at in (columns.time.at, *columns.series, *columns.values):
        if table.header.count(table.header[at]) > 1:
            raise _same_name_error(table, table.header[at])


def _same_name_error(table: CsvTable, name: str) -> CsvError:
    places = ", ".join(str(at) for at, other in enumerate(table.header, start=1) if other == name)
    return CsvError(
        f"{table.name}: columns {places} have the same name, {name!r}, so their readings cannot be distinguished;"
        " rename them"
    )


def _reason(table: CsvTable, profile: Profile) -> str | None:
    """The reason why a column holds no readings. None if it holds readings."""
    if profile.is_empty:
        # Only some cells were inspected: check the whole column.
        distinct = [text.strip() for text in pc.unique(table.columns[profile.at]).to_pylist()]
        return "it is empty" if not any(distinct) else None
    if profile.form == "text":
        return "it holds other times"
    if profile.is_clock:
        return "it holds times of day"
    if profile.is_text:
        count = len(set(profile.cells))
        example = quoted(profile.cells[0])
        return f"it holds text, {example}" + (" only" if count == 1 else " and others")
    if _numbers_the_rows(table, profile):
        return "it numbers the rows"
    return None


def _numbers_the_rows(table: CsvTable, profile: Profile) -> bool:
    """Whether the column counts 1, 2, 3 and has the name of a row number."""
    if profile.key not in _ROW_NUMBERS:
        return False
    head = [cell for cell in profile.cells[:100] if _ROW_NUMBER.fullmatch(cell)]
    return len(head) > 1 and all(int(b) - int(a) == 1 for a, b in itertools.pairwise(head))
