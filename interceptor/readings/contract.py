"""What a format offers: it decodes a record into readings, and says which series a reading belongs to."""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum
from typing import Any, NamedTuple, Protocol

import msgspec

from interceptor.outcome import Headers

MAX_READINGS = 100_000  # in one record; a larger one is refused as a whole
MAX_NAME_CHARACTERS = 1024  # of a series, labels included


class Kind(Enum):
    """How the values of a series follow each other."""

    GAUGE = "gauge"  # each value stands for itself
    CUMULATIVE = "cumulative"  # a counter that grows until its process restarts: its rate is what is forecast
    DELTA = "delta"  # what came since the reading before


class Series(NamedTuple):
    """The series that a key stands for. Two keys may stand for the same series: their names are equal then."""

    name: str
    labels: dict[str, str]
    unit: str = ""
    kind: Kind = Kind.GAUGE


class Skip(Enum):
    """Why a reading was left out. The values are labels of a metric, so this set is fixed."""

    TEXT = "text"  # a string, where only numbers can be forecast
    NOT_A_NUMBER = "not-a-number"  # NaN, an infinity, null, a list
    STALE = "stale"  # Prometheus' marker that a series has ended
    NO_TIME = "no-time"  # a time that cannot be read, or lies outside the years 1970 to 2261
    NO_SERIES = "no-series"  # no name, or one that is too long
    UNSUPPORTED = "unsupported"  # a kind of metric that has no single value


class Decoded(msgspec.Struct):
    """The readings of one record, as parallel lists of equal length.

    keys: of the reading's series, see `Format.series`. times_ns: since 1970 in UTC. values: finite.
    skipped: how many readings were left out, by reason.
    """

    keys: list[Hashable] = []
    times_ns: list[int] = []
    values: list[float] = []
    skipped: dict[Skip, int] = {}

    def add(self, key: Hashable, time_ns: int, value: float) -> None:
        self.keys.append(key)
        self.times_ns.append(time_ns)
        self.values.append(value)

    def skip(self, reason: Skip, count: int = 1) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + count


class UndecodableRecord(ValueError):
    """The record holds no readings in this format. The text says why, in one sentence."""


class Format(Protocol):
    """A format of readings. An instance keeps its settings alone: the same bytes always decode to the same readings."""

    def decode(self, value: bytes, key: bytes | None, headers: Headers, timestamp_ms: int) -> Decoded:
        """The readings of a record, in its order. timestamp_ms: of the record, for readings without a time.

        Raises UndecodableRecord where nothing can be read, never anything else.
        """

    def series(self, key: Any) -> Series | None:
        """The series of a key that `decode` returned; None where it has no usable name."""
