"""Recognises columns that hold parts of times, such as hours or quarters beside a column of dates or years."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable

from fncast.series.csv.error import CsvError, quoted
from fncast.series.csv.table import CsvTable

_NAMES = frozenset(
    (
        "hour", "hours", "hr", "h", "he", "hour_ending", "hour_of_day", "time", "time_of_day", "clock", "minute",
        "interval", "period", "settlement_period", "day", "week", "month", "quarter", "stunde", "uhrzeit", "zeit",
        "tageszeit", "tag", "woche", "kw", "monat", "quartal",
    )
)  # fmt: skip
# Forms of parts of times, which programs and people write in separate columns.
_FORMS = re.compile(
    r"T?([01]?[0-9]|2[0-4])[.:]?[0-5][0-9]([.:]?[0-5][0-9])?.{0,9}|(HE|H|Hour) ?[0-9]{1,2}|Q[1-4]|[1-4]\.? ?Q[a-z]*"
    r"|(W|KW|CW|Week) ?[0-9]{1,2}",
    re.IGNORECASE,
)
_MONTHS = frozenset(
    name.lower() for names in (calendar.month_name, calendar.month_abbr) for name in names if name
)
# Hours of a day, and months, with leading zeros.
_NUMBERED = tuple(
    frozenset(f"{number:02}" for number in numbers) for numbers in (range(24), range(1, 25), range(1, 13))
)
# Fewer different texts may be names by chance.
_MIN_PARTS = 4


def check_time_parts(table: CsvTable, at: int, texts: Iterable[str]) -> None:
    """Raises CsvError if the texts of a column are parts of times, and therefore name no series.

    The column of times holds dates, months or years. at: the column. texts: its different cells.
    """
    found = sorted({text.strip() for text in texts} - {""})
    name = table.header[at]
    key = re.sub(r"[\s.-]+", "_", name.strip().lower())
    if len(found) < _MIN_PARTS or not (
        key in _NAMES
        or all(_FORMS.fullmatch(text) for text in found)
        or _MONTHS.issuperset(text.lower() for text in found)
        or frozenset(found) in _NUMBERED
    ):
        return
    raise CsvError(
        f"{table.name}: column {quoted(name)} holds parts of times such as {quoted(found[0])}, but the column of times"
        " has whole days, months or years; write both into one column, such as 2026-01-31T12:00:00Z, or pass"
        f" --series-column {name} to read a separate series for each of them"
    )
