"""What earlier forecasts predicted for each reading of a series."""

from __future__ import annotations

from fncast.dashboard.events.fields import Values
from fncast.dashboard.events.forecast import ShownForecast

# Readings for which a value is kept. Beyond it, only the newest half stays.
MAX_KEPT = 1920


class EarlierForecasts:
    """For each index, the value of the forecast that was made the closest to `lead` steps before it."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[int, float | None]] = {}  # index → (distance from the lead, value)

    def add(self, forecast: ShownForecast, lead: int) -> None:
        """Add a forecast. lead: how many steps ahead the shown values were predicted. A later forecast wins a tie."""
        for step, value in enumerate(forecast.values):
            index, distance = forecast.start + step, abs(step + 1 - lead)
            if index not in self._kept or distance <= self._kept[index][0]:
                self._kept[index] = distance, value
        if len(self._kept) > MAX_KEPT:
            newest = sorted(self._kept)[-MAX_KEPT // 2 :]
            self._kept = {index: self._kept[index] for index in newest}

    def between(self, first: int, last: int) -> Values:
        """The values from index `first` to `last`, both included; None where no forecast is known."""
        return [self._kept[index][1] if index in self._kept else None for index in range(first, last + 1)]
