"""The recent readings of one series, put together from windows that overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fncast.series.rfc3339 import parse_time
from fncast.series.step import Step
from fncast.series.window import MAX_MAGNITUDE

# Readings kept a series: more than a chart shows, enough to score forecasts that are read late.
MAX_READINGS = 1024

Values = list[float | None]


class UnreadableData(ValueError):
    """Data that cannot be shown: no numbers, or numbers that no forecast is made of."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The times that readings of a series have: `anchor` is index 0. Without a step, indices are all there is."""

    step: Step | None = None
    anchor: datetime | None = None

    @classmethod
    def of(cls, data: Any) -> Grid:
        """The grid that starts at an event's `start`; an unknown one for a bare array. Raises UnreadableData."""
        if not isinstance(data, dict) or data.get("start") is None:
            return cls()
        try:
            start = parse_time(data["start"])
            return cls(Step.of(data).anchored(start), start)
        except ValueError as error:
            raise UnreadableData(str(error)) from None

    @property
    def offset_s(self) -> float:
        """Seconds from UTC of the days that its times have."""
        offset = self.anchor.utcoffset() if self.anchor else None
        return offset.total_seconds() if offset else 0.0

    def index_of(self, moment: datetime) -> int:
        """The index nearest to `moment`, so that times which jitter within a step stay in place."""
        if self.step is None or self.anchor is None:
            raise ValueError("a grid without times has no index of a time")
        return self.step.index_between(self.anchor, moment)

    def time_of(self, index: int) -> float:
        """Seconds since 1970, or the index itself where there are no times."""
        if self.step is None or self.anchor is None:
            return float(index)
        if self.step.period_s is not None:
            return self.anchor.timestamp() + index * self.step.period_s
        try:
            return self.step.after(self.anchor, index).timestamp()
        except ValueError:  # beyond the year 9999
            return float(index)


def parse_numbers(values: Any, limit: int) -> Values:
    """The last `limit` of a list of numbers and nulls. Raises UnreadableData."""
    if not isinstance(values, list):
        raise UnreadableData("values are no list")
    return [_number(value) for value in values[-limit:]]


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableData(f"{str(value)[:40]!r} is no number")
    number = float(value)
    if not math.isfinite(number) or abs(number) > MAX_MAGNITUDE:
        raise UnreadableData(f"{number:g} is beyond ±{MAX_MAGNITUDE:g}")
    return number


class ReadingBuffer:
    """Readings `first` … `newest` on a grid's indices, None where one is missing; at most MAX_READINGS."""

    def __init__(self) -> None:
        self.first = 0
        self._values: Values = []

    def __len__(self) -> int:
        return len(self._values)

    @property
    def newest(self) -> int:
        """The index of the last reading; one before `first` while there is none."""
        return self.first + len(self._values) - 1

    def at(self, index: int) -> float | None:
        """The reading at `index`; None where it is missing, not kept any more or not yet there."""
        position = index - self.first
        return self._values[position] if 0 <= position < len(self._values) else None

    def last_known(self, index: int) -> float | None:
        """The last reading that is not missing at `index` or before it, as far as readings are kept."""
        for position in range(min(index, self.newest) - self.first, -1, -1):
            value = self._values[position]
            if value is not None:
                return value
        return None

    def between(self, first: int, last: int) -> Values:
        """The readings `first` … `last`, both included."""
        return [self.at(index) for index in range(first, last + 1)]

    def merge(self, start: int, values: Values) -> int | None:
        """Put in a window whose oldest reading has index `start`; the later event wins, a null wins over nothing.

        Returns the lowest index that changed, None where nothing did."""
        newest = max(self.newest, start + len(values) - 1) if self._values else start + len(values) - 1
        surplus = max(0, newest - MAX_READINGS + 1 - start)  # of the window; too old to be kept
        start, values = start + surplus, values[surplus:]
        if not values:
            return None
        if not self._values or start > self.newest + MAX_READINGS:
            self.first, self._values = start, list(values)
            return start
        if start < self.first:  # older readings than any so far: a longer window, or history read late
            self._values[:0] = [None] * (self.first - start)
            self.first = start
        changed: int | None = None
        if (gap := start - self.newest - 1) > 0:
            self._values.extend([None] * gap)
        position = start - self.first
        for offset, value in enumerate(values):
            at = position + offset
            if at >= len(self._values):
                self._values.extend(values[offset:])
                changed = start + offset if changed is None else changed
                break
            if value is not None and self._values[at] != value:
                self._values[at] = value
                changed = start + offset if changed is None else changed
        if (surplus := len(self._values) - MAX_READINGS) > 0:
            del self._values[:surplus]
            self.first += surplus
        return changed


def count_new_values(known: Sequence[float | None], window: Sequence[float | None]) -> int:
    """How many of the last values of `window` are new, where windows carry no times and the last one was `known`.

    The shortest slide by which the windows agree; all of it where they do not overlap, none where they are equal
    (a repeat), unless all values are the same: then a slide by one."""
    size = len(window)
    if len(known) == size:
        for slide in range(1, size):
            if known[slide:] == window[: size - slide]:
                return slide
        if known == window:
            return 0
    return size
