"""One reading of a series, and the interface of feeds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fncast.series.step import Step


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a series. value: NaN if it is missing.

    index: the number of steps since the start of the series. Where it jumps, readings are missing. highest: the maximum
    possible value of the series, None if there is none.
    """

    series: str
    index: int
    time: datetime
    step: Step
    value: float
    unit: str | None = None
    highest: float | None = None


class Feed(Protocol):
    """A source of readings in fixed intervals: tick n is `interval_s` after tick n - 1."""

    @property
    def interval_s(self) -> float:
        """Seconds of real time between two ticks."""

    @property
    def is_recorded(self) -> bool:
        """Whether `read` can return the readings of past ticks. True for a recording, False for a meter."""

    def read(self, tick: int) -> list[Reading]:
        """Return the readings of a tick, each with `tick` as its index; [] if there are none."""
