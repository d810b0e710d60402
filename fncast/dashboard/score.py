"""How well forecasts came true, beside the naive forecast that the last value stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fncast.dashboard.forecast import Forecast
from fncast.dashboard.readings import Readings


@dataclass(slots=True)
class Score:
    """Sums of absolute errors over the same points, so that the two can be compared."""

    points: int = 0
    error_sum: float = 0.0
    naive_error_sum: float = 0.0
    banded: int = 0
    inside: int = 0

    def add(self, forecast: Forecast, readings: Readings) -> None:
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

    def _compare(self, forecast: Forecast, step: int, actual: float | None, naive: float) -> None:
        value = forecast.values[step]
        if actual is None or value is None:
            return
        self.points += 1
        self.error_sum += abs(value - actual)
        self.naive_error_sum += abs(naive - actual)
        if forecast.band is not None:
            low, high = forecast.low[step], forecast.high[step]
            if low is not None and high is not None:
                self.banded += 1
                self.inside += low <= actual <= high

    @property
    def ratio(self) -> float | None:
        """Our mean absolute error over the naive forecast's; None before there is one, or where that is 0."""
        return self.error_sum / self.naive_error_sum if self.naive_error_sum else None

    def as_json(self) -> dict[str, Any] | None:
        if not self.points:
            return None
        return {
            "points": self.points,
            "mae": self.error_sum / self.points,
            "naive_mae": self.naive_error_sum / self.points,
            "ratio": self.ratio,
            "inside": self.inside / self.banded if self.banded else None,
        }
