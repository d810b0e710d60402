"""How well the latest forecasts came true, beside the naive forecast that the last value stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fncast.dashboard.forecast import ShownForecast
from fncast.dashboard.readings import ReadingBuffer

# Readings that a score covers: enough to be calm, few enough that a model that turns bad shows at once.
SCORED_READINGS = 60


@dataclass(slots=True)
class ErrorSums:
    """Sums of absolute errors over the same points, so that the two forecasts can be compared."""

    points: int = 0
    error_sum: float = 0.0
    naive_error_sum: float = 0.0
    banded: int = 0
    inside: int = 0

    def add(self, other: ErrorSums) -> None:
        self.points += other.points
        self.error_sum += other.error_sum
        self.naive_error_sum += other.naive_error_sum
        self.banded += other.banded
        self.inside += other.inside


class ForecastScore:
    """Compares forecasts with the last SCORED_READINGS readings of their series."""

    def __init__(self) -> None:
        self._by_reading: dict[int, ErrorSums] = {}

    def add(self, forecast: ShownForecast, readings: ReadingBuffer) -> None:
        """Compare the steps of `forecast` that readings have reached and that were not compared yet.

        A step whose reading is missing does not count, nor does a forecast whose last value before it is unknown."""
        reached = min(readings.newest - forecast.start + 1, len(forecast.values))
        if reached <= forecast.scored:
            return
        naive = readings.last_known(forecast.start - 1)
        if naive is not None:
            for step in range(forecast.scored, reached):
                self._compare(forecast, step, readings.at(forecast.start + step), naive)
        forecast.scored = reached

    def forget_before(self, newest: int) -> None:
        """Drop readings that are not among the last SCORED_READINGS; `newest` is the index of the last one."""
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
        """None before a forecast has come true. ratio: our mean absolute error over the naive forecast's, None where
        that is 0. readings: how many are compared, by `points` steps of forecasts."""
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


def _sum(many: Iterable[ErrorSums]) -> ErrorSums:
    total = ErrorSums()
    for errors in many:
        total.add(errors)
    return total
