"""Recognises a stuck sensor: a value that stays the same for longer than before."""

from __future__ import annotations

# This many equal readings in a row, or fewer, are never unusual.
MIN_RUN = 5
# A run is unusual if it is longer than LONGER times the longest usual run before it, plus LONGER_BY readings.
LONGER = 1.5
LONGER_BY = 3


class Stillness:
    """The runs of equal readings of one series. has_ended: whether the last reading ended a run that was stuck."""

    __slots__ = ("_last", "_longest", "_run", "has_ended")

    def __init__(self) -> None:
        self._last = float("nan")
        self._run = 0
        self._longest = 1
        self.has_ended = False

    def update(self, value: float, is_anomaly: bool) -> float:
        """Count a reading. Returns its run's length in units of the longest run that is usual; above 1 it is stuck.

        is_anomaly: whether an episode is open. A run that ends in an episode does not become usual.
        """
        if value == self._last:
            self._run += 1
            self.has_ended = False
        else:
            self.has_ended = self._length() > 1.0
            if self._run > self._longest and not is_anomaly:
                self._longest = self._run
            self._last, self._run = value, 1
        return self._length()

    def _length(self) -> float:
        usual = LONGER * self._longest + LONGER_BY
        return self._run / (usual if usual > MIN_RUN else MIN_RUN)

    def state(self) -> list[float]:
        """The state as numbers, for `restored`."""
        return [self._last, self._run, self._longest]

    @classmethod
    def restored(cls, state: list[float]) -> Stillness:
        """The runs with the state that `state` returned."""
        stillness = cls()
        stillness._last, run, longest = state
        stillness._run, stillness._longest = int(run), int(longest)
        return stillness
