"""A forecast as its event tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fncast.dashboard.event import ReceivedEvent
from fncast.dashboard.names import shown_name
from fncast.dashboard.readings import UnreadableData, Values, parse_numbers

FORECAST_TYPE = "io.fncast.forecast.v1"
# Steps of one forecast that are looked at; a longer one is cut, its far end would not be seen in a chart anyway.
MAX_HORIZON = 512


@dataclass(slots=True)
class ShownForecast:
    """Values `start` … `start + len(values) - 1` on the series' grid; `low` and `high` are its outer quantiles.

    band: these quantiles, such as (0.1, 0.9); None where the forecast is a median alone, low and high empty then.
    scored: how many of its steps have been compared with what came true."""

    start: int
    values: Values
    low: Values
    high: Values
    band: tuple[float, float] | None
    model: str
    scored: int = field(default=0)


def model_name(event: ReceivedEvent) -> str:
    """Name and version of the model, as `forecast v3`; empty where the event does not say."""
    name, version = event.text("modelname") or "", event.text("modelversion")
    return shown_name(f"{name} v{version}".strip() if version else name)


def parse_forecast(event: ReceivedEvent, start: int) -> ShownForecast:
    """The forecast in an event's data, its first value at index `start`. Raises UnreadableData."""
    if event.data is None:
        raise UnreadableData("the event has no data")
    if not isinstance(event.data, dict):
        raise UnreadableData("a forecast's data is a JSON object")
    quantiles = _quantiles(event.data.get("quantiles"))
    medians: Any = event.data.get("values")
    if medians is None:
        medians = quantiles.get(0.5)
    if not isinstance(medians, list) or not medians:
        raise UnreadableData("a forecast without values")
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
        raise UnreadableData("quantiles have names that are no numbers") from None
