"""What the monitor reads from events: the newest reading of a window, and a forecast."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from fncast.series.rfc3339 import parse_time
from fncast.series.step import Step
from interceptor.cloudevents.event import Event

WINDOW, FORECAST = "io.fncast.window.v1", "io.fncast.forecast.v1"
# Longer forecasts are cut: each waits in memory for its readings.
MAX_HORIZON = 512


class UnusableEvent(ValueError):
    """The monitor cannot use this event. The text gives the reason."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest reading of a series. value: NaN if it is missing."""

    series: str
    time: datetime
    step: Step
    value: float


@dataclass(frozen=True, slots=True)
class ForecastMessage:
    """A forecast. start: of its first step. levels: ascending. rows: the quantiles of each step.

    model: name and version, for example `forecast/3`."""

    series: str
    start: datetime
    step: Step
    levels: tuple[float, ...]
    rows: list[tuple[float, ...]]
    model: str


def read_window(event: Event) -> Reading:
    """The newest reading of a window event. Raises UnusableEvent."""
    data, series = _data(event), _series(event)
    values = data.get("values")
    if not isinstance(values, list) or not values:
        raise UnusableEvent("the window has no values")
    start, step = _grid(data)
    last = values[-1]
    value = math.nan if last is None else last
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnusableEvent("the window's last value is not a number")
    return Reading(series, step.after(start, len(values) - 1), step, float(value))


def read_forecast(event: Event) -> ForecastMessage:
    """A forecast event. Raises UnusableEvent."""
    data, series = _data(event), _series(event)
    start, step = _grid(data)
    quantiles = data.get("quantiles")
    if not isinstance(quantiles, dict) or not quantiles:
        raise UnusableEvent("the forecast has no quantiles")
    try:
        columns = sorted((float(level), values) for level, values in quantiles.items())
        levels = tuple(level for level, _ in columns)
        rows = [tuple(map(float, row)) for row in zip(*(values for _, values in columns), strict=True)]
    except (TypeError, ValueError):
        raise UnusableEvent("the forecast's quantiles are not lists of numbers of the same length") from None
    if not rows or not all(0.0 < level < 1.0 for level in levels):
        raise UnusableEvent("the forecast's quantiles are empty, or their levels are not between 0 and 1")
    model = f"{event.text('modelname') or ''}/{event.text('modelversion') or ''}"
    return ForecastMessage(series, start, step, levels, rows[:MAX_HORIZON], model)


def _data(event: Event) -> dict[str, Any]:
    try:
        data = orjson.loads(event.data or b"")
    except orjson.JSONDecodeError:
        raise UnusableEvent("the data is not JSON") from None
    if not isinstance(data, dict):
        raise UnusableEvent("the data is not a JSON object")
    return data


def _series(event: Event) -> str:
    series = event.text("subject")
    if not series:
        raise UnusableEvent("the event has no subject, which names its series")
    return series


def _grid(data: dict[str, Any]) -> tuple[datetime, Step]:
    try:
        start = parse_time(data.get("start"))
        return start, Step.of(data).anchored(start)
    except ValueError as error:
        raise UnusableEvent(str(error)) from None
