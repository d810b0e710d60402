"""Checks what a user's format returns, so that a mistake in it costs one record and does not stop the consumer."""

from __future__ import annotations

from typing import Any

from interceptor.outcome import Headers
from interceptor.readings.contract import MAX_NAME_CHARACTERS, Decoded, Format, Series, UndecodableRecord
from interceptor.readings.times import MAX_TIME_NS


class CheckedFormat:
    """A format whose results follow the contract. The built-in formats need no such check.

    format: of the user. name: of the format in the settings, for messages.
    """

    def __init__(self, format_: Format, name: str) -> None:
        self.format = format_
        self._name = name

    def decode(self, value: bytes, key: bytes | None, headers: Headers, timestamp_ms: int) -> Decoded:
        """See Format. Raises UndecodableRecord also for a result that breaks the contract."""
        decoded: object = self.format.decode(value, key, headers, timestamp_ms)
        if not isinstance(decoded, Decoded):
            raise UndecodableRecord(f"the format {self._name} returned {type(decoded).__name__}, not Decoded")
        if not len(decoded.keys) == len(decoded.times_ns) == len(decoded.values):
            raise UndecodableRecord(
                f"the format {self._name} returned {len(decoded.keys)} keys, {len(decoded.times_ns)} times and"
                f" {len(decoded.values)} values"
            )
        for reading in zip(decoded.keys, decoded.times_ns, decoded.values, strict=True):
            if flaw := _flaw(*reading):
                raise UndecodableRecord(f"the format {self._name} returned {flaw}")
        return decoded

    def series(self, key: Any) -> Series | None:
        """See Format. Raises TypeError for a result that is not a series."""
        series: object = self.format.series(key)
        if series is None:
            return None
        if (
            not isinstance(series, Series)
            or not isinstance(series.name, str)
            or not isinstance(series.unit, str)
        ):
            raise TypeError(
                f"the format {self._name} returned for a key neither None nor a Series of strings"
            )
        return series if 0 < len(series.name) <= MAX_NAME_CHARACTERS else None


def _flaw(key: object, time_ns: object, value: object) -> str:
    """What the contract does not allow in a reading; empty if it is valid."""
    if not _has_hash(key):
        return f"a key that cannot be hashed, of the type {type(key).__name__}"
    if type(time_ns) is not int or not 0 <= time_ns <= MAX_TIME_NS:
        return "a time that is not an integer of nanoseconds between the years 1970 and 2261"
    if not isinstance(value, int | float):
        return f"a value of the type {type(value).__name__}, not a number"
    return ""


def _has_hash(key: object) -> bool:
    """Whether the key has a hash: a tuple has none if one of its members has none."""
    try:
        hash(key)
    except TypeError:
        return False
    return True
