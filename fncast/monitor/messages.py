"""What the monitor reads from events: the newest reading of a window, and a forecast."""

from __future__ import annotations

import math
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from fncast.monitor.accuracy.accuracy import LEVELS
from fncast.series.rfc3339 import format_time, parse_time
from fncast.series.step import Step
from fncast.series.window import MAX_MAGNITUDE
from interceptor.assembly.window import WindowEvent
from interceptor.cloudevents.event import Event
from interceptor.readings.contract import MAX_NAME_CHARACTERS

WINDOW, FORECAST = "io.fncast.window.v1", "io.fncast.forecast.v1"
# Longer forecasts are cut: each waits in memory for its readings.
MAX_HORIZON = 512
# Entries of each cache of times and steps. Many series have the same start and step.
_CACHED = 8192


class UnusableEvent(ValueError):
    """The monitor cannot use this event. The text gives the reason."""


class NewestReading(NamedTuple):
    """The newest reading of a series. time: of this reading. value: in the unit of the series, NaN if it is missing."""

    series: str
    time: datetime
    step: Step
    value: float


class ForecastMessage(NamedTuple):
    """A forecast, cut after MAX_HORIZON steps.

    start: time of its first step. levels: (levels,) ascending. columns: (levels, steps) quantiles in the unit of the
    series. model: name and version, for example `forecast/3`.
    """

    series: str
    start: datetime
    step: Step
    levels: tuple[float, ...]
    columns: list[list[float]]
    model: str

    @property
    def band(self) -> list[list[float]]:
        """Low, median and high, (3, steps): the columns whose levels are the nearest to LEVELS."""
        return [self.columns[index] for index in _places(self.levels)]

    @property
    def rows(self) -> list[tuple[float, ...]]:
        """The quantiles of each step: (steps, levels)."""
        return list(zip(*self.columns, strict=True))


class _Grid(msgspec.Struct):
    start: Any = None
    step_s: Any = None
    step: Any = None
    step_day: Any = None


class _WindowData(_Grid):
    values: list[float | None] = []


class _ForecastData(_Grid):
    quantiles: dict[str, list[float]] = {}


_decode_window = msgspec.json.Decoder(_WindowData).decode
_decode_forecast = msgspec.json.Decoder(_ForecastData).decode


def read_window(event: Event) -> NewestReading:
    """Read the newest reading from a window event. Raises UnusableEvent."""
    series = _series(event)
    if type(event) is WindowEvent and not event.is_replaced:  # assembled here
        window = event.window
        start, step = _grid(window.start, window.step.period_s, *_calendar(window.step))
        return NewestReading(
            series, _after(start, step, step.day, len(window.values) - 1), step, window.values[-1]
        )
    data = _decoded(_decode_window, event, "the window's values are not a list of numbers")
    if not data.values:
        raise UnusableEvent("the window has no values")
    start, step = _grid(data.start, data.step_s, data.step, data.step_day)
    _after(start, step, step.day, len(data.values))  # fails if the first step after the window has no time
    last = data.values[-1]
    value = math.nan if last is None else last
    if abs(value) > MAX_MAGNITUDE:
        raise UnusableEvent(f"the newest value is beyond ±{MAX_MAGNITUDE:g}")
    return NewestReading(series, _after(start, step, step.day, len(data.values) - 1), step, value)


def read_forecast(event: Event) -> ForecastMessage:
    """Read a forecast event. Raises UnusableEvent."""
    series = _series(event)
    data = _decoded(_decode_forecast, event, "the forecast's quantiles are not lists of numbers")
    if not data.quantiles:
        raise UnusableEvent("the forecast has no quantiles")
    names, levels = _levels(tuple(data.quantiles))
    columns = [data.quantiles[name] for name in names]
    length = len(columns[0])
    if not length or len(set(map(len, columns))) > 1:
        raise UnusableEvent("the forecast's quantiles are empty, or not of the same length")
    band = [columns[index] for index in _places(levels)]
    if any(not -MAX_MAGNITUDE <= min(column) <= max(column) <= MAX_MAGNITUDE for column in band):
        raise UnusableEvent(f"a quantile is beyond ±{MAX_MAGNITUDE:g}")
    if length > MAX_HORIZON:
        columns = [column[:MAX_HORIZON] for column in columns]
    start, step = _grid(data.start, data.step_s, data.step, data.step_day)
    _after(start, step, step.day, len(columns[0]))  # fails if a step has no time
    model = f"{event.text('modelname') or ''}/{event.text('modelversion') or ''}"
    if len(model) > MAX_NAME_CHARACTERS:
        raise UnusableEvent(f"the model's name is longer than {MAX_NAME_CHARACTERS} characters")
    return ForecastMessage(series, start, step, levels, columns, model)


def _decoded(decode: Any, event: Event, reason: str) -> Any:
    try:
        return decode(event.data or b"")
    except msgspec.ValidationError:
        raise UnusableEvent(reason) from None
    except msgspec.DecodeError:
        raise UnusableEvent("the data is not JSON") from None


def _series(event: Event) -> str:
    series = event.text("subject")
    if not series:
        raise UnusableEvent("the event has no subject, which names its series")
    if len(series) > MAX_NAME_CHARACTERS:
        raise UnusableEvent(f"the subject is longer than {MAX_NAME_CHARACTERS} characters")
    return series


def _calendar(step: Step) -> tuple[str | None, int | None]:
    return (None, None) if step.period_s is not None else (str(step), step.day)


def _grid(start: Any, step_s: Any, step: Any, step_day: Any) -> tuple[datetime, Step]:
    try:
        return _known_grid(start, step_s, step, step_day)
    except TypeError:  # not hashable
        raise UnusableEvent("the start or step is not a string or number") from None


@lru_cache(_CACHED)
def _known_grid(start: Any, step_s: Any, step: Any, step_day: Any) -> tuple[datetime, Step]:
    try:
        moment = parse_time(start)
        format_time(moment)  # fails if the year is out of range in UTC, in which the monitor writes times
        found = Step.of({"step_s": step_s, "step": step, "step_day": step_day}).anchored(moment)
        found.after(moment, 1)
    except ValueError as error:
        raise UnusableEvent(str(error)) from None
    return moment, found


@lru_cache(_CACHED)
def _after(start: datetime, step: Step, day: int | None, steps: int) -> datetime:
    # `day` is only a part of the cache's key: steps of the same length are equal, even if their days differ.
    try:
        found = step.after(start, steps)
        format_time(found)  # see `_known_grid`
        return found
    except ValueError as error:
        raise UnusableEvent(str(error)) from None


@lru_cache(64)
def _levels(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The names of quantiles in the order of their levels, and the levels. Raises UnusableEvent."""
    try:
        found = sorted((float(name), name) for name in names)
    except ValueError:
        raise UnusableEvent("the forecast's quantiles are not named by numbers") from None
    levels = tuple(level for level, _ in found)
    if not all(0.0 < level < 1.0 for level in levels):
        raise UnusableEvent("the levels of the forecast's quantiles are not between 0 and 1")
    return tuple(name for _, name in found), levels


@lru_cache(64)
def _places(levels: tuple[float, ...]) -> list[int]:
    """For each of LEVELS, the position of the nearest level of a forecast."""
    return [min(range(len(levels)), key=lambda index: abs(levels[index] - wanted)) for wanted in LEVELS]
