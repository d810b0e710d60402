"""Parses dates, times of day and offsets as people and programs write them, one text at a time."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from datetime import date

DAY_FIRST = "day-first"
MONTH_FIRST = "month-first"

# Between a time and AM or PM: plain, no-break or narrow no-break.
_BLANK = "[ \u00a0\u202f]"
# One time: a date, a time of day, a fraction of a second, an offset. RE2 and Python both read it.
TIME = (
    r"^(?P<date>[0-9]{1,4}[-/.][0-9]{1,2}(?:[-/.][0-9]{1,4})?\.?|[0-9]{8}"
    r"|[0-9]{1,2}[-/ ][A-Za-z]{3,9}\.?[-/ ,]+[0-9]{2,4}|[A-Za-z]{3,9}\.? [0-9]{1,2},? [0-9]{4})"
    r"(?:(?:[Tt]|,? +)(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?|[0-9]{4}(?:[0-9]{2})?)"
    r"(?P<fraction>[.,][0-9]{1,9})?(?P<half>" + _BLANK + r"?[AaPp]\.?[Mm]\.?)?"
    r"(?P<offset> ?(?:[Zz]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?)?$"
)
TIME_OF_DAY = (
    r"^(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)(?P<fraction>[.,][0-9]{1,9})?"
    r"(?P<half>" + _BLANK + r"?[AaPp]\.?[Mm]\.?)?(?P<offset> ?(?:[Zz]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?$"
)

_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})(?:\2([0-9]{1,2}))?\.?")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})\.?")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_NAMED = re.compile(r"([0-9]{1,2})[-/ ]([A-Za-z]{3,9})\.?[-/ ,]+([0-9]{4}|[0-9]{2})")
_NAME_FIRST = re.compile(r"([A-Za-z]{3,9})\.? ([0-9]{1,2}),? ([0-9]{4})")
_CLOCK = re.compile(r"([0-9]{1,2}):?([0-9]{2})(?::?([0-9]{2}))?")
_OFFSET = re.compile(r"([+-])([0-9]{2})(?::?([0-9]{2}))?")
_MONTHS = {
    name.lower(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
} | {"sept": 9}
_EPOCH_DAY = date(1970, 1, 1).toordinal()
# Years of two digits below _THIS_CENTURY are in this century, those from _LAST_CENTURY on in the last one. Programs
# disagree about the years between.
_THIS_CENTURY = 30
_LAST_CENTURY = 70


def order_of(texts: Iterable[str]) -> str | None:
    """DAY_FIRST or MONTH_FIRST for dates such as 31/01/2026. None if both are possible.

    A number above 12 shows where the day is. Dates with points have the day first. With years of two digits, the first
    number may also be the year: then the order is known only if the second number is above 12, or, with points, if the
    first number has more different values than the last, as days have. Raises ValueError if some dates must have the
    day first and others the month.
    """
    day_first = month_first = None
    is_any = False
    with_points: list[tuple[str, str]] = []
    for text in texts:
        match = _YEAR_LAST.fullmatch(text)
        if match is None:
            continue
        first, second = int(match[1]), int(match[3])
        if match[2] == ".":
            day_first = text
            with_points.append((match[1], match[4]))
        elif second > 12:
            month_first = text
        elif len(match[4]) == 2:
            is_any = True
        elif first > 12:
            day_first = text
        elif first != second:
            is_any = True
    if day_first is not None and month_first is not None:
        raise ValueError(f"{day_first!r} has the day first, but {month_first!r} the month")
    if month_first is not None:
        return MONTH_FIRST
    firsts, lasts = (
        (set(numbers) for numbers in zip(*with_points, strict=True)) if with_points else (set(), set())
    )
    if lasts and len(lasts) >= len(firsts) and all(len(last) == 2 and 1 <= int(last) <= 31 for last in lasts):
        return None
    return None if is_any and day_first is None else DAY_FIRST


def day_number(text: str, order: str = DAY_FIRST) -> int | None:
    """Days since 1970-01-01. None if `text` is not a date. A month gives its first day."""
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, day = match[1], match[3], match[4] or "1"
    elif match := _YEAR_LAST.fullmatch(text):
        day, month, year = match[1], match[3], match[4]
        if order == MONTH_FIRST and match[2] != ".":
            day, month = month, day
    elif match := _COMPACT.fullmatch(text):
        year, month, day = match.groups()
    elif (match := _NAMED.fullmatch(text)) and match[2].lower() in _MONTHS:
        day, month, year = match[1], str(_MONTHS[match[2].lower()]), match[3]
    elif (match := _NAME_FIRST.fullmatch(text)) and match[1].lower() in _MONTHS:
        month, day, year = str(_MONTHS[match[1].lower()]), match[2], match[3]
    else:
        return None
    whole_year = int(year)
    if len(year) == 2:
        whole_year += 2000 if whole_year < _LAST_CENTURY else 1900
    try:
        return date(whole_year, int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None


def has_unsure_century(text: str) -> bool:
    """Whether a date has a year of two digits that may be of this or of the last century."""
    match = _YEAR_LAST.fullmatch(text) or _NAMED.fullmatch(text)
    year = match[match.re.groups] if match else ""
    return len(year) == 2 and _THIS_CENTURY <= int(year) < _LAST_CENTURY


def seconds_of_day(text: str, half: str = "") -> int | None:
    """Seconds since midnight; 24:00 is the end of the day. half: AM or PM. None if the text is not a time of day.

    A leap second, 23:59:60 in UTC, is read as the second after it, as in POSIX time. In other zones it is in another
    quarter of an hour, since offsets are whole quarters.
    """
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.strip()[0] in "Pp" else 0)
    is_leap_second = second == 60 and minute % 15 == 14
    if (
        minute > 59
        or (second > 59 and not is_leap_second)
        or hour > 24
        or (hour == 24 and (minute or second))
    ):
        return None
    return hour * 3600 + minute * 60 + second


def offset_seconds(text: str) -> int | None:
    """The offset from UTC in seconds, positive east of Greenwich. None if it is out of range; 0 without an offset."""
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        return 0
    hours, minutes = int(match[2]), int(match[3] or 0)
    if hours > 23 or minutes > 59:
        return None
    return (hours * 3600 + minutes * 60) * (-1 if match[1] == "-" else 1)
