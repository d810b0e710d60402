"""The contract of a format: it decodes a record into readings, and names the series of each reading."""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum
from typing import Any, NamedTuple, Protocol

import msgspec

from interceptor.outcome import Headers

MAX_READINGS = 100_000  # per record; a record with more is rejected as a whole
MAX_NAME_CHARACTERS = 1024  # of a series, labels included
MAX_UNIT_CHARACTERS = 128  # a unit that is longer, or not valid Unicode, is left out
MAX_SHARED = 16_384  # characters or bytes of the name and labels that several readings of a record share
MAX_LABELS = 128  # that several readings of a record share
MAX_LABELS_BYTES = 4096  # of a series, as JSON; a series with more has none


class MetricKind(Enum):
    """How to interpret the values of a series."""

    GAUGE = "gauge"  # a measured value
    CUMULATIVE = "cumulative"  # a counter that grows until its process restarts; its rate is forecast
    DELTA = "delta"  # the change since the previous reading


class Series(NamedTuple):
    """The series of a key. Two keys with equal names are the same series."""

    name: str
    labels: dict[str, str]
    unit: str = ""
    kind: MetricKind = MetricKind.GAUGE


class Skip(Enum):
    """Why a reading was skipped. The values are labels of a metric, so the set is fixed."""

    TEXT = "text"  # a string: only numbers can be forecast
    NOT_A_NUMBER = "not-a-number"  # NaN, an infinity, null, a list
    STALE = "stale"  # Prometheus' marker that a series has ended
    NO_TIME = "no-time"  # a time that cannot be read, or lies outside the years 1970 to 2261
    NO_SERIES = "no-series"  # the name is missing or too long, or the labels are too many or too large
    UNSUPPORTED = "unsupported"  # a kind of metric that has no single value


class Decoded(msgspec.Struct, gc=False):
    """The readings of one record, as parallel lists of equal length.

    keys: one per reading, for `Format.series`. times_ns: nanoseconds since 1970 in UTC, from 0 to `times.MAX_TIME_NS`.
    values: finite. skipped: number of skipped readings by reason.
    """

    keys: list[Hashable] = []
    times_ns: list[int] = []
    values: list[float] = []
    skipped: dict[Skip, int] = {}

    def add(self, key: Hashable, time_ns: int, value: float) -> None:
        """Add a reading. value: finite."""
        self.keys.append(key)
        self.times_ns.append(time_ns)
        self.values.append(value)

    def skip(self, reason: Skip, count: int = 1) -> None:
        """Count readings that are left out."""
        self.skipped[reason] = self.skipped.get(reason, 0) + count


class UndecodableRecord(ValueError):
    """The record cannot be decoded in this format. The message is one sentence with the reason."""


class Format(Protocol):
    """A format of readings. An instance holds only settings: equal bytes always decode to equal readings."""

    def decode(self, value: bytes, key: bytes | None, headers: Headers, timestamp_ms: int) -> Decoded:
        """Return the readings of a record, in order. timestamp_ms: the record's, for readings without a time.

        Raises only UndecodableRecord, if nothing can be read.
        """

    def series(self, key: Any) -> Series | None:
        """Return the series of a key from `decode`. None if its name is empty or too long."""
