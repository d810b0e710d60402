"""Reads forecasts from events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fncast.dashboard.events.event import ReceivedEvent
from fncast.dashboard.events.fields import UnreadableData, Values, parse_numbers
from fncast.dashboard.events.names import shown_name

FORECAST_TYPE = "io.fncast.forecast.v1"
# Steps to read from a forecast. A chart cannot show more.
MAX_HORIZON = 512


@dataclass(slots=True)
class ShownForecast:
    """A forecast for the indices `start` … `start + len(values) - 1` of its series.

    values: medians. low, high: the outer quantiles; empty if the forecast has only medians.
    band: the levels of low and high, for example (0.1, 0.9); None if the forecast has only medians.
    scored: how many steps have been compared with readings.
    """

    start: int
    values: Values
    low: Values
    high: Values
    band: tuple[float, float] | None
    model: str
    scored: int = 0

    def as_json(self) -> dict[str, Any]:
        """What the page shows of the forecast, as JSON values."""
        return {
            "start": self.start,
            "values": self.values,
            "low": self.low,
            "high": self.high,
            "band": self.band,
        }


def model_name(event: ReceivedEvent) -> str:
    """Name and version of the model, for example `forecast v3`; "" if the event does not name a model."""
    name, version = event.text("modelname") or "", event.text("modelversion")
    return shown_name(f"{name} v{version}".strip() if version else name)


def parse_forecast(event: ReceivedEvent, start: int) -> ShownForecast:
    """Read the forecast in an event's data.

    start: the index of its first value. Raises UnreadableData.
    """
    if event.data is None:
        raise UnreadableData("the event has no data")
    if not isinstance(event.data, dict):
        raise UnreadableData("the data of a forecast must be a JSON object")
    quantiles = _quantiles(event.data.get("quantiles"))
    medians: Any = event.data.get("values")
    if medians is None:
        medians = quantiles.get(0.5)
    if not isinstance(medians, list) or not medians:
        raise UnreadableData("the forecast has no values")
    values = parse_numbers(medians[:MAX_HORIZON], MAX_HORIZON)
    low = high = Values()
    band = None
    if len(quantiles) > 1:
        outer = min(quantiles), max(quantiles)
        low, high = (parse_numbers(quantiles[level][: len(values)], MAX_HORIZON) for level in outer)
        band = outer if len(low) == len(high) == len(values) else None
    if band is None:
        low, high = [], []
    return ShownForecast(start, values, low, high, band, model_name(event))


def _quantiles(table: Any) -> dict[float, list[Any]]:
    if not isinstance(table, dict):
        return {}
    try:
        return {float(level): values for level, values in table.items() if isinstance(values, list)}
    except ValueError:
        raise UnreadableData("the names of quantiles must be numbers") from None
