"""Combines overlapping windows into the recent readings of one series."""

from __future__ import annotations

from fncast.dashboard.events.fields import Values

# Readings to keep per series: more than a chart shows, so that late forecasts can be scored.
MAX_READINGS = 1024


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
        too_old = max(0, newest - MAX_READINGS + 1 - start)  # readings of the window that are not kept
        start, values = start + too_old, values[too_old:]
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
