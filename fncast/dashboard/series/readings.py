"""Combines overlapping windows into the recent readings of one series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fncast.series.rfc3339 import parse_time
from fncast.series.step import Step
from fncast.series.window import MAX_MAGNITUDE

# Readings to keep per series: more than a chart shows, so that late forecasts can be scored.
MAX_READINGS = 1024
ROUNDING_S = 1e-3  # a time this close to a step belongs to it

Values = list[float | None]


class UnreadableData(ValueError):
    """The data cannot be shown, for example because it does not hold numbers. The message gives the reason."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The times of a series' readings. `anchor` is the time of index 0. Readings without times have only indices."""

    step: Step | None = None
    anchor: datetime | None = None

    @classmethod
    def of(cls, data: Any) -> Grid:
        """The grid that starts at the `start` of an event's data. Data without a start gives a grid without times.

        Raises UnreadableData.
        """
        if not isinstance(data, dict) or data.get("start") is None:
            return cls()
        try:
            start = parse_time(data["start"])
            return cls(Step.of(data).anchored(start), start)
        except ValueError as error:
            raise UnreadableData(str(error)) from None

    @property
    def offset_s(self) -> float:
        """The UTC offset of the anchor in seconds. It decides which day a time belongs to."""
        offset = self.anchor.utcoffset() if self.anchor else None
        return offset.total_seconds() if offset else 0.0

    def index_of(self, moment: datetime) -> int:
        """The index nearest to `moment`. Raises ValueError if the grid has no times."""
        if self.step is None or self.anchor is None:
            raise ValueError("the grid has no times")
        return self.step.index_between(self.anchor, moment)

    def step_at(self, time_s: float) -> int:
        """The index of the step that contains a time in seconds since 1970."""
        index = self.index_of(datetime.fromtimestamp(time_s, UTC))
        return index if self.time_of(index) <= time_s + ROUNDING_S else index - 1

    def time_of(self, index: int) -> float:
        """The time of an index in seconds since 1970; the index itself if the grid has no times."""
        if self.step is None or self.anchor is None:
            return float(index)
        if self.step.period_s is not None:
            return self.anchor.timestamp() + index * self.step.period_s
        try:
            return self.step.after(self.anchor, index).timestamp()
        except ValueError:  # beyond the year 9999
            return float(index)


def parse_numbers(values: Any, limit: int) -> Values:
    """Read the last `limit` values of a list of numbers and nulls. Raises UnreadableData."""
    if not isinstance(values, list):
        raise UnreadableData("values must be an array")
    return [_number(value) for value in values[-limit:]]


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableData(f"{str(value)[:40]!r} is not a number")
    number = float(value)
    if not math.isfinite(number) or abs(number) > MAX_MAGNITUDE:
        raise UnreadableData(f"{number:g} is beyond ±{MAX_MAGNITUDE:g}")
    return number


class ReadingBuffer:
    """The readings with indices `first` … `newest`, None for a missing one; at most MAX_READINGS."""

    def __init__(self) -> None:
        self.first = 0
        self._values: Values = []

    def __len__(self) -> int:
        return len(self._values)

    @property
    def newest(self) -> int:
        """The index of the last reading; `first` - 1 if there are no readings."""
        return self.first + len(self._values) - 1

    def at(self, index: int) -> float | None:
        """The reading at `index`; None if it is missing, dropped or not read yet."""
        position = index - self.first
        return self._values[position] if 0 <= position < len(self._values) else None

    def last_known(self, index: int) -> float | None:
        """The last known reading at or before `index`; None if all of them are missing or dropped."""
        for position in range(min(index, self.newest) - self.first, -1, -1):
            value = self._values[position]
            if value is not None:
                return value
        return None

    def between(self, first: int, last: int) -> Values:
        """The readings from `first` to `last`, both included."""
        return [self.at(index) for index in range(first, last + 1)]

    def merge(self, start: int, values: Values) -> int | None:
        """Add a window whose first reading has the index `start`. New values replace old ones; nulls replace nothing.

        Returns the lowest index that changed, None if nothing changed.
        """
        newest = max(self.newest, start + len(values) - 1) if self._values else start + len(values) - 1
        surplus = max(0, newest - MAX_READINGS + 1 - start)  # readings of the window that are too old to keep
        start, values = start + surplus, values[surplus:]
        if not values:
            return None
        if not self._values or start > self.newest + MAX_READINGS:
            self.first, self._values = start, list(values)
            return start
        if start < self.first:  # older than all readings: a longer window, or history that is read late
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
    """Count the new values at the end of `window`, for windows without times. `known` is the window before it.

    This is the shortest shift by which the two windows agree: len(window) if they do not overlap, and 0 if they are
    equal (a repeat). If all values are the same, the shift is 1.
    """
    size = len(window)
    if len(known) == size:
        for shift in range(1, size):
            if known[shift:] == window[: size - shift]:
                return shift
        if known == window:
            return 0
    return size
