"""Sliding windows over the readings of a series."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from fncast.produce.reading import Reading
from fncast.series.step import Step

# Longer windows exceed the function's limit of 1 MB per event. Each series keeps one window in memory.
MAX_WINDOW = 50_000


@dataclass(frozen=True, slots=True)
class ProducedWindow:
    """A window of readings of one series.

    values: oldest first, None for a missing reading. index: of the last reading. start, end: the times of the first and
    the last reading. highest: see Reading.
    """

    series: str
    index: int
    start: datetime
    end: datetime
    step: Step
    values: list[float | None]
    unit: str | None
    highest: float | None = None


class SlidingWindow:
    """Turns the readings of one series into windows of `steps` readings, one window per `every` readings."""

    def __init__(self, steps: int, every: int = 1) -> None:
        """Raises ValueError for a number out of range."""
        if not 1 <= steps <= MAX_WINDOW:
            raise ValueError(f"a window must have 1 to {MAX_WINDOW} readings, not {steps}")
        if every < 1:
            raise ValueError(f"the next window must come after 1 or more readings, not {every}")
        self._every = every
        self._values: deque[float | None] = deque(maxlen=steps)
        self._times: deque[datetime] = deque(maxlen=steps)
        self._last: Reading | None = None

    def add(self, reading: Reading) -> ProducedWindow | None:
        """Add a reading. Returns a window if this reading completes one. Skipped readings count as missing.

        Raises ValueError if the reading is not newer than the last one.
        """
        if self._last is not None:
            self._fill_gap(self._last, reading)
        self._last = reading
        # JSON cannot represent NaN and infinity, so such a reading counts as missing.
        self._values.append(reading.value if math.isfinite(reading.value) else None)
        self._times.append(reading.time)
        steps = self._values.maxlen or 0
        if len(self._values) < steps or (reading.index + 1 - steps) % self._every:
            return None
        values = list(self._values)
        return ProducedWindow(
            reading.series,
            reading.index,
            self._times[0],
            reading.time,
            reading.step,
            values,
            reading.unit,
            reading.highest,
        )

    def _fill_gap(self, last: Reading, reading: Reading) -> None:
        if reading.index <= last.index:
            raise ValueError(f"reading {reading.index} of {reading.series} comes after reading {last.index}")
        skipped = reading.index - last.index - 1
        if skipped >= (self._values.maxlen or 0):  # the gap is longer than the window
            self._values.clear()
            self._times.clear()
            return
        for number in range(1, skipped + 1):
            self._values.append(None)
            self._times.append(last.step.after(last.time, number))
