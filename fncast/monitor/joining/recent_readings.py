"""The last readings of one series, in a ring by their step."""

from __future__ import annotations

import math
from array import array

import numpy as np

from fncast.series.window import Float64Array


class RecentReadings:
    """The readings of the steps from `first` on, as many as fit. NaN stands for a missing reading."""

    __slots__ = ("_values", "first")

    def __init__(self, first: int, size: int) -> None:
        self.first = first
        self._values = array("d", [math.nan]) * size

    @property
    def size(self) -> int:
        """How many steps in a row fit."""
        return len(self._values)

    def __getitem__(self, index: int) -> float:
        values = self._values
        return values[index % len(values)] if 0 <= index - self.first < len(values) else math.nan

    def __setitem__(self, index: int, value: float) -> None:
        """Add or correct a reading of one of the steps that fit."""
        self._values[index % len(self._values)] = value

    def __contains__(self, index: int) -> bool:
        value = self[index]
        return value == value

    def forget(self, first: int) -> None:
        """Begin with a later step, and forget the readings before it."""
        values = self._values
        for index in range(self.first, min(first, self.first + len(values))):
            values[index % len(values)] = math.nan
        self.first = max(self.first, first)

    def between(self, first: int, end: int) -> Float64Array:
        """The readings of the steps from `first` up to before `end`: (end - first,) float64, NaN if missing."""
        index = np.arange(first, end)
        found = np.frombuffer(self._values)[index % len(self._values)]
        found[(index < self.first) | (index >= self.first + len(self._values))] = math.nan
        return found

    def items(self) -> list[tuple[int, float]]:
        """The readings with their steps, in the order of time."""
        every = self.between(self.first, self.first + len(self._values)).tolist()
        return [(index, value) for index, value in enumerate(every, start=self.first) if value == value]

    def resized(self, first: int, size: int) -> RecentReadings:
        """The same readings in a larger ring that begins with an earlier step."""
        ring = RecentReadings(first, size)
        for index, value in self.items():
            ring[index] = value
        return ring
