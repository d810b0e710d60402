"""One reading of a series, and the feeds that tell readings as time passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fncast.series.step import Step


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of `series` at `time`; NaN where it is missing.

    index: the reading's place on its series' regular grid, in steps; it grows by one a reading, and a jump is a gap.
    highest: what no reading of the series can be above, None where nothing is.
    """

    series: str
    index: int
    time: datetime
    step: Step
    value: float
    unit: str | None = None
    highest: float | None = None


class Feed(Protocol):
    """Tells readings at a fixed pace: tick n falls `interval_s` after tick n - 1."""

    @property
    def interval_s(self) -> float:
        """Seconds of real time between two ticks."""

    @property
    def recalls(self) -> bool:
        """Whether `read` also tells the readings of ticks that have passed; a meter cannot, a recording can."""

    def read(self, tick: int) -> list[Reading]:
        """The readings of tick `tick`, each with `tick` as its index; empty where there are none."""
