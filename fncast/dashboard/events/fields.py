"""Reads values in the data of foreign events."""

from __future__ import annotations

import math
from typing import Any

from fncast.series.rfc3339 import parse_time
from fncast.series.window import MAX_MAGNITUDE

Values = list[float | None]


class UnreadableData(ValueError):
    """The data cannot be shown, for example because it does not hold numbers. The message gives the reason."""


def parse_numbers(values: Any, limit: int) -> Values:
    """Read the last `limit` values of a list of numbers and nulls. Raises UnreadableData."""
    if not isinstance(values, list):
        raise UnreadableData("values must be an array")
    return [_number_or_null(value) for value in values[-limit:]]


def _number_or_null(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableData(f"{str(value)[:40]!r} is not a number")
    number = float(value)
    if not math.isfinite(number) or abs(number) > MAX_MAGNITUDE:
        raise UnreadableData(f"{number:g} is beyond ±{MAX_MAGNITUDE:g}")
    return number


def finite_number(value: Any) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def seconds_of(value: Any) -> float | None:
    """An RFC 3339 time in seconds since 1970; None for anything else."""
    try:
        return parse_time(value).timestamp()
    except (ValueError, OverflowError):
        return None
