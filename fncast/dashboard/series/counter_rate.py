"""Turns the readings of a counter into a rate."""

from __future__ import annotations

from fncast.dashboard.events.single_reading import SingleReading


class CounterRate:
    """The rate of one counter. Remembers its last reading."""

    def __init__(self) -> None:
        self._last: SingleReading | None = None

    def next(self, reading: SingleReading) -> float | None:
        """Return the increase per second since the last reading; None if it is not known.

        A counter that decreased was reset, and counts from 0.
        """
        last, self._last = self._last, reading
        if last is None or reading.time_s <= last.time_s:
            return None
        increase = reading.value - last.value if reading.value >= last.value else reading.value
        return increase / (reading.time_s - last.time_s)
