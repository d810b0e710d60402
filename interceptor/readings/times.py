"""Times of readings: numbers in a given or guessed unit, and RFC 3339 strings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fncast.series.rfc3339 import parse_time

UNITS_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
MAX_TIME_NS = 2**63 - 1  # the largest 64-bit time, in the year 2262
_MAX_S = MAX_TIME_NS // 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_ns(raw: object, unit: str = "auto") -> int | None:
    """Return nanoseconds since 1970 in UTC, or None if `raw` is not a time between the years 1970 and 2261.

    raw: a number, a string of digits, or an RFC 3339 string. unit: s, ms, us, ns, or auto, which guesses by size.
    """
    if type(raw) is int:
        if unit == "auto" and 0 <= raw <= _MAX_S:  # most times: `unit_of` says seconds
            return raw * 1_000_000_000
        found = raw * UNITS_NS[unit_of(raw) if unit == "auto" else unit]
    elif type(raw) is float:
        try:
            found = round(raw * UNITS_NS[unit_of(raw) if unit == "auto" else unit])
        except (OverflowError, ValueError):  # infinity or NaN
            return None
    elif isinstance(raw, str):
        return _of_text(raw, unit)
    else:
        return None
    return found if 0 <= found <= MAX_TIME_NS else None


def record_time_ns(timestamp_ms: int) -> int | None:
    """Return the time of a record, for a reading without a time. None if it is not between the years 1970 and 2261."""
    return time_ns(timestamp_ms, "ms")


def to_datetime(time_ns: int) -> datetime:
    """Return the time in UTC. Digits beyond microseconds are dropped. Raises OverflowError beyond the year 9999."""
    return _EPOCH + timedelta(microseconds=time_ns // 1000)


def since_epoch_ns(moment: datetime) -> int:
    """Return the nanoseconds since 1970 in UTC of a moment with an offset."""
    since = moment - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def unit_of(number: float) -> str:
    """Return the unit in which a number of this size is a time between the years 1973 and 5138."""
    if number < 1e11:  # seconds until the year 5138
        return "s"
    if number < 1e14:
        return "ms"
    return "us" if number < 1e17 else "ns"


def _of_text(text: str, unit: str) -> int | None:
    if len(text) <= 20 and text.isascii() and text.isdecimal():
        return time_ns(int(text), unit)
    try:
        found = since_epoch_ns(parse_time(text))
    except ValueError:
        return None
    return found if 0 <= found <= MAX_TIME_NS else None
