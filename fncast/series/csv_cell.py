"""Reads one cell of a CSV file: a time or a value."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from pathlib import Path

from fncast.series.window import MAX_MAGNITUDE

EMPTY = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "?"))

# How much of a wrong cell an error shows.
MAX_SHOWN = 60

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR = re.compile(r"[12]\d{3}")
_MONTH = re.compile(r"[12]\d{3}-\d{2}")
_COMPACT_DATE = re.compile(r"(19|20)\d{6}")
# Seconds since 1970 do not reach this before the year 5138; larger ones are milliseconds.
_FIRST_EPOCH_MS = 1e11
_FIRST_EPOCH_S = -6.2e10  # the year 6
_LAST_EPOCH_MS = 1e14


class CsvError(ValueError):
    """A file that cannot be read as series: the text names file, line and value, and how to mend it."""


def is_empty(text: str) -> bool:
    return text.strip().lower() in EMPTY


def number(text: str) -> float | None:
    """The number, None if the text is none."""
    try:
        return float(text)
    except ValueError:
        return None


def time(text: str) -> float | None:
    """Seconds since 1970 UTC, None if the text is no time. A time without an offset is UTC."""
    if _YEAR.fullmatch(text):
        text += "-01-01"
    elif _MONTH.fullmatch(text):
        text += "-01"
    elif not _COMPACT_DATE.fullmatch(text) and (seconds := number(text)) is not None:
        if not _FIRST_EPOCH_S < seconds < _LAST_EPOCH_MS:
            return None
        return seconds / 1000 if seconds >= _FIRST_EPOCH_MS else seconds
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH).total_seconds()


def read_time(path: Path, line: int, text: str) -> float:
    """Seconds since 1970 UTC. Raises CsvError."""
    seconds = time(text.strip())
    if seconds is None:
        raise CsvError(
            f"{path}, line {line}: {text[:MAX_SHOWN]!r} is not a time; write it as 2026-01-31T12:00:00Z,"
            " or as seconds since 1970"
        )
    return seconds


def read_value(path: Path, line: int, text: str, column: str) -> float:
    """The reading, NaN if it is missing. Raises CsvError."""
    value = number(text)
    if value is None:
        if is_empty(text):
            return math.nan
        raise CsvError(
            f"{path}, line {line}: {text[:MAX_SHOWN]!r} is not a number (column {column!r}); write a number,"
            " or leave it empty for a missing reading"
        )
    if math.isinf(value):
        raise CsvError(
            f"{path}, line {line}: {text[:MAX_SHOWN]!r} (column {column!r}) is not a finite number;"
            " leave it empty if the reading is missing"
        )
    if abs(value) > MAX_MAGNITUDE:  # one of them would spoil season, scale and measures of its whole series
        raise CsvError(
            f"{path}, line {line}: {text[:MAX_SHOWN]!r} (column {column!r}) is beyond ±{MAX_MAGNITUDE:g}, which no"
            " model takes; leave it empty if the reading is wrong"
        )
    return value
