"""Recorded series told as if they happened now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fncast.produce.reading import Reading
from fncast.series.series import Series

INTERVAL_S = 0.2


class ReplayFeed:
    """A feed that plays series from their first reading, and again from the start once they end.

    Times and indices go on growing through every repetition, so that the joint looks like any other pair of readings.
    """

    recalls = True

    def __init__(self, series: Sequence[Series], interval_s: float = INTERVAL_S) -> None:
        self.interval_s = interval_s
        self._series = [one for one in series if len(one.values)]

    def read(self, tick: int) -> list[Reading]:
        return [reading(one, tick) for one in self._series] if tick >= 0 else []


def readings(series: Series) -> Iterator[Reading]:
    """Every reading of a recorded series, once, oldest first."""
    return (reading(series, index) for index in range(len(series.values)))


def reading(series: Series, index: int) -> Reading:
    """Reading `index` of a series with at least one value, repeated without end."""
    value = float(series.values[index % len(series.values)])
    return Reading(
        series.name, index, series.step.after(series.start, index), series.step, value, series.unit
    )
