"""Windows: the last readings of a series, sliding on as readings come."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from fncast.produce.reading import Reading
from fncast.series.step import Step

# The function refuses longer windows of ours anyway (an event of 1 MB); a series needs memory for as many readings.
MAX_WINDOW = 50_000


@dataclass(frozen=True, slots=True)
class SeriesWindow:
    """`values` of a series, oldest first, None where a reading is missing.

    start and end: the times of the first and last value. index: that of the last reading. highest: as of a reading.
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
    """Turns the readings of one series into windows of `steps` readings, one for every `every` readings."""

    def __init__(self, steps: int, every: int = 1) -> None:
        """Raises ValueError where a number is out of range."""
        if not 1 <= steps <= MAX_WINDOW:
            raise ValueError(f"a window has 1 to {MAX_WINDOW} readings, not {steps}")
        if every < 1:
            raise ValueError(f"a window starts every 1 or more readings, not {every}")
        self._every = every
        self._values: deque[float | None] = deque(maxlen=steps)
        self._times: deque[datetime] = deque(maxlen=steps)
        self._last: Reading | None = None

    def add(self, reading: Reading) -> SeriesWindow | None:
        """The window that this reading completes, if it does. Readings that were skipped count as missing.

        Raises ValueError for a reading that is not after the last.
        """
        if self._last is not None:
            self._bridge(self._last, reading)
        self._last = reading
        # JSON has no word for NaN and the infinities: a reading that is no number is a missing one.
        self._values.append(reading.value if math.isfinite(reading.value) else None)
        self._times.append(reading.time)
        steps = self._values.maxlen or 0
        if len(self._values) < steps or (reading.index + 1 - steps) % self._every:
            return None
        values = list(self._values)
        return SeriesWindow(
            reading.series,
            reading.index,
            self._times[0],
            reading.time,
            reading.step,
            values,
            reading.unit,
            reading.highest,
        )

    def _bridge(self, last: Reading, reading: Reading) -> None:
        if reading.index <= last.index:
            raise ValueError(f"reading {reading.index} of {reading.series} comes after reading {last.index}")
        skipped = reading.index - last.index - 1
        if skipped >= (self._values.maxlen or 0):  # nothing of the old window would be left
            self._values.clear()
            self._times.clear()
            return
        for number in range(1, skipped + 1):
            self._values.append(None)
            self._times.append(last.step.after(last.time, number))
