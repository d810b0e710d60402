"""Parses and formats ISO 8601 durations such as PT5M, P7D, P1M or P1Y."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

# P1M is a month, PT1M a minute. The number of digits is bounded, so that parsing is fast. Seconds have as many digits
# as `format_seconds` writes for any float.
_DURATION = re.compile(
    r"P(?=[\dT])(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,12})W)?(?:(\d{1,12})D)?"
    r"(?:T(?=\d)(?:(\d{1,15})H)?(?:(\d{1,15})M)?(?:(\d{1,15}(?:[.,]\d{1,30})?)S)?)?",
    flags=re.ASCII,
)
_SECONDS = {"W": 604_800, "D": 86_400, "H": 3_600, "M": 60, "S": 1}


def parse_duration(text: str) -> tuple[int, Decimal]:
    """The months and the seconds of a duration. Raises ValueError if `text` is not a duration."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not an ISO 8601 duration such as PT5M, P7D, P1M or P1Y")
    years, months, *fixed = match.groups()
    seconds = sum(
        (
            Decimal((count or "0").replace(",", ".")) * seconds
            for count, seconds in zip(fixed, _SECONDS.values(), strict=True)
        ),
        Decimal(0),
    )
    return 12 * int(years or 0) + int(months or 0), seconds


def format_months(months: int) -> str:
    """A duration in whole years such as `P1Y`, else in months such as `P3M`."""
    return f"P{months}M" if months % 12 else f"P{months // 12}Y"


@lru_cache(1024)  # a snapshot names the step of each series
def format_seconds(seconds: float) -> str:
    """A duration in days, hours or minutes if one divides it, else in seconds: `P7D`, `PT90M`, `PT0.25S`."""
    for unit in ("D", "H", "M"):
        count, rest = divmod(seconds, _SECONDS[unit])
        if count and not rest:
            return f"P{int(count)}D" if unit == "D" else f"PT{int(count)}{unit}"
    return f"PT{Decimal(repr(float(seconds))).normalize():f}S"
