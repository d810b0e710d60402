"""The readings of one series that wait for their forecast, before the detector judges them."""

from __future__ import annotations

from collections.abc import Iterator

from fncast.monitor.joining.pending import NONE

# A reading waits for its forecast until more readings than this wait.
MAX_WAITING = 3


class WaitingReadings:
    """Readings by their step. values: those that wait. judged: the newest step whose reading no longer waits."""

    __slots__ = ("judged", "values")

    def __init__(self) -> None:
        self.values: dict[int, float] = {}
        self.judged = NONE

    def add(self, index: int, value: float, *, is_new: bool) -> None:
        """Add the reading of a step, or correct it while it waits. is_new: whether the step had no reading before."""
        if index > self.judged and (is_new or index in self.values):
            self.values[index] = value

    def ready(self, newest_start: int) -> Iterator[tuple[int, float]]:
        """Take the readings that have their forecast, or have waited long enough for it, in the order of time.

        newest_start: first step of the newest forecast. Yields the step and the value.
        """
        while self.values:
            index = min(self.values)
            if len(self.values) <= MAX_WAITING and newest_start < index:
                return
            self.judged = index
            yield index, self.values.pop(index)
