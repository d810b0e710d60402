"""Parses and formats times as in RFC 3339, section 5.6: the only form in events, headers and flags."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

# `datetime.fromisoformat` alone also takes dates, basic formats, week dates and local times.
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:(?P<second>\d{2})(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    flags=re.ASCII,
)
_SECOND = slice(17, 19)  # of the text
_ONE_SECOND = timedelta(seconds=1)
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
_LAST_SECOND = _LAST_MOMENT.replace(microsecond=0)
_SHOWN_CHARACTERS = 60


def parse_time(text: object) -> datetime:
    """The moment of an RFC 3339 text, with its offset. Digits beyond microseconds are dropped.

    A leap second, 23:59:60 UTC at the end of a month, becomes the first moment of the next day, as in POSIX time. At
    the end of the year 9999 it becomes the last moment of that year.
    Raises ValueError for any other text, such as one without an offset or with a day that does not exist.
    """
    if not isinstance(text, str):
        raise ValueError(f"a time must be a string such as 2024-05-01T12:00:00Z, not {_kind(text)}")
    matched = _TIME.fullmatch(text)
    if matched is None:
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not an RFC 3339 time such as 2024-05-01T12:00:00Z")
    try:
        if matched["second"] == "60":
            return _leap_second(text)
        return datetime.fromisoformat(text.upper())
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not a time: {error}") from None


def _kind(value: object) -> str:
    """What a JSON value is."""
    if isinstance(value, bool | None):
        return {None: "null", True: "true", False: "false"}[value]
    kinds = ((int | float, "a number"), (list, "an array"), (dict, "an object"))
    return next((name for kind, name in kinds if isinstance(value, kind)), type(value).__name__)


def _leap_second(text: str) -> datetime:
    whole = re.sub(r"\.\d+", "", text.upper())
    before = datetime.fromisoformat(f"{whole[: _SECOND.start]}59{whole[_SECOND.stop :]}")
    if before.astimezone(UTC) == _LAST_SECOND:
        return _LAST_MOMENT
    after = before + _ONE_SECOND
    in_utc = after.astimezone(UTC)
    if (in_utc.day, in_utc.hour, in_utc.minute) != (1, 0, 0):
        raise ValueError("second 60 is a leap second, which only ends a month in UTC")
    return after


def format_time(moment: datetime) -> str:
    """The moment as RFC 3339 in UTC with `Z`, with a fraction only if it is not zero.

    Raises ValueError for a moment without an offset, or if its year in UTC is outside 1 to 9999.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no offset from UTC")
    try:
        in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{moment.isoformat()} is outside the years 1 to 9999 in UTC") from None
    return in_utc.isoformat().removesuffix("+00:00") + "Z"
