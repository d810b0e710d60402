"""Finds the column of times of a CSV file, and the one with the times of day."""

from __future__ import annotations

import itertools
import re

from fncast.series.csv.columns.profile import Profile
from fncast.series.csv.error import CsvError, quoted, quoted_list
from fncast.series.csv.numbers.number import parse_number
from fncast.series.csv.table import CsvTable

# Usual names of time columns, the preferred ones first.
TIME_NAMES = (
    "timestamp", "time", "datetime", "date_time", "_time", "ds", "date", "ts", "last_changed", "last_updated", "utc",
    "time_utc", "timestamp_utc", "zeitstempel", "datum", "zeit", "mess_datum", "period", "month", "year", "t", "epoch",
)  # fmt: skip


_BEGIN_NAME = re.compile(r".*\b(start|begin|from|von|ab|anfang)\b.*|.*_(start|begin|from|von)", re.IGNORECASE)


def find_time(table: CsvTable, found: list[Profile]) -> Profile:
    """The column of times. Raises CsvError."""
    named = [profile for profile in found if profile.key in TIME_NAMES and profile.form is not None]
    named.sort(key=lambda profile: TIME_NAMES.index(profile.key))
    sure = [profile for profile in named if profile.form != "seconds"]
    if sure:
        return sure[0]
    texts = [profile for profile in found if profile.form == "text"]
    if len(texts) > 1:
        texts = [profile for profile in texts if _BEGIN_NAME.fullmatch(profile.name)] or texts
    if texts:
        return _only(table, texts)
    numbers = [profile for profile in found if profile.form in ("epoch", "compact") and _rises(profile)] or [
        profile for profile in found if profile.form in ("excel", "year") and not named and _rises(profile)
    ]
    if numbers:
        return _only(table, numbers)
    if named:
        return named[0]
    clocks = [profile for profile in found if profile.is_clock]
    if len(clocks) == 1:
        return clocks[0]
    unread = next((profile for profile in found if profile.key in TIME_NAMES and profile.cells), None)
    example = f"; {quoted(unread.cells[0])} in column {unread.name!r} is not read as a time" if unread else ""
    raise CsvError(
        f"{table.name}: no column holds times (the columns are {', '.join(table.header)}){example}; write times as"
        " 2026-01-31T12:00:00Z, or name the column with --time-column"
    )


def _only(table: CsvTable, candidates: list[Profile]) -> Profile:
    """The only candidate. Raises CsvError if there are several."""
    if len(candidates) > 1:
        names = quoted_list([profile.name for profile in candidates])
        raise CsvError(f"{table.name}: columns {names} all hold times; say which one with --time-column")
    return candidates[0]


def _rises(profile: Profile) -> bool:
    """Whether the numbers never decrease or never increase, as times do."""
    numbers = [number.point or 0.0 for cell in profile.cells if (number := parse_number(cell)) is not None]
    pairs = list(itertools.pairwise(numbers))
    return all(a <= b for a, b in pairs) or all(a >= b for a, b in pairs)


def find_clock(time: Profile, found: list[Profile]) -> int | None:
    """The column with the time of day, if the time column holds only dates."""
    is_date = time.form == "text" and all(
        ":" not in cell or re.search(r"[ T]0?0:00(:00(\.0+)?)?$", cell) for cell in time.cells
    )
    if not is_date and not (time.form == "compact" and all(len(cell) == 8 for cell in time.cells)):
        return None
    clocks = [profile for profile in found if profile.is_clock and profile.at != time.at]
    if len(clocks) > 1:
        clocks = [profile for profile in clocks if _BEGIN_NAME.fullmatch(profile.name)]
    return clocks[0].at if len(clocks) == 1 else None
