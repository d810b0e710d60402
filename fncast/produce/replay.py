"""Replays recorded series in real time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fncast.produce.reading import Reading
from fncast.series.time_series import TimeSeries

INTERVAL_S = 0.2


class ReplayFeed:
    """A feed that replays series again and again. Times and indices continue to grow with every repetition."""

    is_recorded = True

    def __init__(self, series: Sequence[TimeSeries], interval_s: float = INTERVAL_S) -> None:
        self.interval_s = interval_s
        self._series = [recorded for recorded in series if len(recorded.values)]

    def read(self, tick: int) -> list[Reading]:
        return [reading(recorded, tick) for recorded in self._series] if tick >= 0 else []


def readings(series: TimeSeries) -> Iterator[Reading]:
    """Yield every reading of a recorded series once, oldest first."""
    return (reading(series, index) for index in range(len(series.values)))


def reading(series: TimeSeries, index: int) -> Reading:
    """Return reading `index` of an endlessly repeated series, which must have at least one value."""
    value = float(series.values[index % len(series.values)])
    return Reading(
        series.name, index, series.step.after(series.start, index), series.step, value, series.unit
    )
