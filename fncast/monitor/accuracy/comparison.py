"""Whether a model's forecasts are worse than the last value: an alert that opens and closes once, with hysteresis."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fncast.monitor.accuracy.accuracy import Accuracy


@dataclass(slots=True)
class Comparison:
    """Compares one model version with the last value, for one series.

    readings: how many in a row contradict `is_open`. seen_s: time of the newest reading that was compared, in seconds
    since 1970; -inf before the first.
    """

    is_open: bool = False
    readings: int = 0
    seen_s: float = -math.inf

    def update(self, accuracy: Accuracy, in_a_row: int) -> str:
        """Compare after a reading: the last day's error with that of the last value.

        in_a_row: this many readings open or close the alert. A reading with several forecasts counts once.
        Returns "open" or "closed" if the state changes, else an empty string.
        """
        if accuracy.newest_s <= self.seen_s or not accuracy.outcomes:
            return ""
        self.seen_s = accuracy.newest_s
        is_worse = accuracy.is_worse_than_last
        self.readings = self.readings + 1 if is_worse != self.is_open else 0
        if self.readings < in_a_row:
            return ""
        return self._change()

    def end(self) -> str:
        """The model has no more forecasts for the series. Returns "closed" if the alert was open."""
        return self._change() if self.is_open else ""

    def _change(self) -> str:
        self.is_open, self.readings = not self.is_open, 0
        return "open" if self.is_open else "closed"
