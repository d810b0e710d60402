"""Reads values in the data of foreign events."""

from __future__ import annotations

import math
from typing import Any

from fncast.series.rfc3339 import parse_time


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
