"""Compares recent forecasts with readings, and with the naive forecast that repeats the last value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fncast.dashboard.events.forecast import ShownForecast
from fncast.dashboard.series.reading_buffer import ReadingBuffer

# Readings that a score covers: enough for a steady figure, few enough to show quickly that a model got worse.
SCORED_READINGS = 60


@dataclass(slots=True)
class ErrorSums:
    """Sums of absolute errors of both forecasts over the same points.

    banded: points with a band. inside: points whose reading was inside the band.
    """

    points: int = 0
    error_sum: float = 0.0
    naive_error_sum: float = 0.0
    banded: int = 0
    inside: int = 0

    def add(self, other: ErrorSums) -> None:
        """Add the sums of other points."""
        self.points += other.points
        self.error_sum += other.error_sum
        self.naive_error_sum += other.naive_error_sum
        self.banded += other.banded
        self.inside += other.inside


class ForecastScore:
    """The score of one model for the last SCORED_READINGS readings of one series."""

    def __init__(self) -> None:
        self._by_reading: dict[int, ErrorSums] = {}

    def add(self, forecast: ShownForecast, readings: ReadingBuffer) -> None:
        """Compare those steps of `forecast` that now have readings and were not compared before.

        Does not count steps with a missing reading, nor forecasts without a known reading before them.
        """
        end = min(readings.newest - forecast.start + 1, len(forecast.values))
        if end <= forecast.scored:
            return
        naive = readings.last_known(forecast.start - 1)
        if naive is not None:
            for step in range(forecast.scored, end):
                self._compare(forecast, step, readings.at(forecast.start + step), naive)
        forecast.scored = end

    def forget_before(self, newest: int) -> None:
        """Drop the readings before the last SCORED_READINGS.

        newest: the index of the last reading.
        """
        for index in [index for index in self._by_reading if index <= newest - SCORED_READINGS]:
            del self._by_reading[index]

    def _compare(self, forecast: ShownForecast, step: int, actual: float | None, naive: float) -> None:
        value = forecast.values[step]
        if actual is None or value is None:
            return
        errors = self._by_reading.setdefault(forecast.start + step, ErrorSums())
        errors.points += 1
        errors.error_sum += abs(value - actual)
        errors.naive_error_sum += abs(naive - actual)
        if forecast.band is not None:
            low, high = forecast.low[step], forecast.high[step]
            if low is not None and high is not None:
                errors.banded += 1
                errors.inside += low <= actual <= high

    def as_json(self) -> dict[str, Any] | None:
        """The score as JSON values; None before the first comparison.

        readings: how many readings were compared. points: with how many forecast steps. mae, naive_mae: mean absolute
        errors in the unit of the readings. ratio: mae / naive_mae, None if naive_mae is 0. inside: share of readings
        inside the band, None without a band.
        """
        total = _sum(self._by_reading.values())
        if not total.points:
            return None
        return {
            "readings": len(self._by_reading),
            "points": total.points,
            "mae": total.error_sum / total.points,
            "naive_mae": total.naive_error_sum / total.points,
            "ratio": total.error_sum / total.naive_error_sum if total.naive_error_sum else None,
            "inside": total.inside / total.banded if total.banded else None,
        }


def _sum(parts: Iterable[ErrorSums]) -> ErrorSums:
    total = ErrorSums()
    for errors in parts:
        total.add(errors)
    return total
