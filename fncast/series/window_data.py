"""Reads the data of a window event: the readings, their start and step, unit, limits and labels.

The forecast function reads it for calls in JSON, the consumer for tensor calls, so that both accept the same events.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
import orjson

from fncast.series.rfc3339 import parse_time
from fncast.series.step import Step, format_start
from fncast.series.window import MAX_MAGNITUDE
from fncast.wording.json import describe


class WindowData(msgspec.Struct, gc=False):
    """Valid data of an event. values: oldest reading first, None for a missing one."""

    values: list[float | None]
    start: str | None = None
    step_s: int | float | None = None
    step: str | None = None
    step_day: int | None = None
    unit: str | None = None
    min: int | float | None = None
    max: int | float | None = None
    labels: dict[str, str] | None = None


# In these units 0 is only a point of the scale: a series that was above 0 may fall below it.
UNITS_BELOW_ZERO = frozenset(("°C", "°F", "℃", "℉", "C", "F", "Cel", "degC", "degF", "dB", "dBm", "dBFS"))

# How many starts and steps of recent events are cached in parsed form.
_STARTS = 4096
_STEPS = 256
# A longer start has a fraction of many digits. It is not cached, so that the caches stay small.
_MAX_START = 64  # characters


class InvalidData(ValueError):
    """The data of an event is not a window that can be scored. The text says which part of it is wrong."""


class EventReadings(msgspec.Struct, gc=False):
    """The readings of one event.

    values: as the event has them, not checked yet.
    grid_json: start and step of the forecast as JSON, `"start":…,"step_s":…,`; empty if the event has no times.
    unit: `,"unit":…` as JSON, or empty.
    low, high: limits of the forecast, or None if the event has none.
    labels: `,"labels":…` as JSON, or empty.
    """

    values: Any
    grid_json: bytes = b""
    unit: bytes = b""
    low: float | None = None
    high: float | None = None
    labels: bytes = b""


def read_json(body: bytes) -> Any:
    """The JSON value in `body`. Raises ValueError.

    NaN and numbers beyond float64 are accepted, as NaN and infinities, so that only their event is rejected.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        reason = describe(error)
    try:
        return json.loads(body.decode("utf-8"), parse_int=float)
    except (ValueError, RecursionError):
        raise ValueError(reason) from None


def read_readings(data: object) -> EventReadings:
    """The window in an event's data: an object, an array of numbers, or EventReadings. Raises InvalidData."""
    if type(data) is WindowData:
        grid_json = _following_of(data.start)(
            data.start, data.step_s, data.step, data.step_day, len(data.values)
        )
        limits = limits_of(data.min, data.max, data.unit)
        labels = b"" if data.labels is None else b',"labels":' + orjson.dumps(data.labels)
        return EventReadings(data.values, grid_json, unit_of(data.unit), *limits, labels)
    if type(data) is list:
        return EventReadings(data)
    if type(data) is EventReadings:
        return data
    if isinstance(data, InvalidData):
        raise data
    if type(data) is str and _holds_json(data):
        raise InvalidData("data is a string that holds JSON: send the JSON itself, not as a string")
    if type(data) is not dict:
        raise InvalidData(
            'data must be an object with "start", "step_s" and "values", or an array of numbers'
        )
    values = data.get("values")
    if type(values) is not list:
        raise InvalidData("values are missing" if values is None else "values is not an array of numbers")
    grid_json = grid_json_of(data, len(values))
    unit = data.get("unit")
    if unit is not None and type(unit) is not str:
        raise InvalidData("unit is not a string")
    limits = limits_of(data.get("min"), data.get("max"), unit)
    return EventReadings(values, grid_json, unit_of(unit), *limits, _labels(data.get("labels")))


def unit_of(unit: str | None) -> bytes:
    """The output's member unit. Raises InvalidData."""
    try:
        return b"" if unit is None else b',"unit":' + orjson.dumps(unit)
    except orjson.JSONEncodeError:
        raise InvalidData("unit is not valid Unicode") from None


def _labels(labels: object) -> bytes:
    """The output's member labels. Raises InvalidData."""
    if labels is None:
        return b""
    if type(labels) is not dict or not all(type(text) is str for text in labels.values()):
        raise InvalidData("labels is not an object of strings")
    try:
        return b',"labels":' + orjson.dumps(labels)
    except orjson.JSONEncodeError:
        raise InvalidData("labels are not valid Unicode") from None


def limits_of(low: object, high: object, unit: str | None) -> tuple[float | None, float | None]:
    """The limits that an event sets by `min` and `max`, or by its unit. Raises InvalidData."""
    if low is None and high is None and unit not in UNITS_BELOW_ZERO:
        return None, None
    lowest, highest = _limit("min", low), _limit("max", high)
    if lowest is None and unit in UNITS_BELOW_ZERO:
        lowest = -math.inf
    if lowest is not None and highest is not None and lowest > highest:
        raise InvalidData("min is above max")
    return lowest, highest


def _limit(name: str, limit: object) -> float | None:
    if limit is None:
        return None
    if type(limit) not in (int, float) or not abs(limit) <= MAX_MAGNITUDE:  # type: ignore[arg-type]
        raise InvalidData(f"{name} must be a number within ±{MAX_MAGNITUDE:g}")
    return float(limit)  # type: ignore[arg-type]


def grid_json_of(data: Mapping[str, Any], steps: int) -> bytes:
    """The output's members start and step: `steps` steps after the start in `data`. Raises InvalidData."""
    start = data.get("start")
    members = start, data.get("step_s"), data.get("step"), data.get("step_day"), steps
    try:
        return _following_of(start)(*members)
    except TypeError:  # an array or object cannot be a key of the cache
        return _following.__wrapped__(*members)


def _following_of(start: object) -> Callable[..., bytes]:
    """`_following`, without its cache for a long start."""
    return _following.__wrapped__ if type(start) is str and len(start) > _MAX_START else _following


@lru_cache(_STARTS, typed=True)
def _following(start: object, step_s: object, step: object, step_day: object, steps: int) -> bytes:
    """As `grid_json_of`. Cached because series of one source share their start. Raises InvalidData."""
    try:
        read = _step(step_s, step, step_day)
    except TypeError:
        read = _step.__wrapped__(step_s, step, step_day)
    try:
        first = parse_time(start)
        anchored = read.anchored(first)
        following = anchored.after(first, steps)
        text = format_start(following, anchored)
    except ValueError as error:
        raise InvalidData("start is missing" if start is None else f"start: {error}") from None
    # A step in seconds keeps the form of the event: `step` or `step_s`.
    members = anchored.as_json(following) if step is None or read.months else {"step": str(read)}
    return b'"start":"%b",%b,' % (text.encode(), orjson.dumps(members)[1:-1])


@lru_cache(_STEPS, typed=True)
def _step(step_s: object, step: object, step_day: object) -> Step:
    """Raises InvalidData."""
    try:
        return Step.of({"step_s": step_s, "step": step, "step_day": step_day})
    except ValueError as error:
        raise InvalidData(str(error)) from None


def _holds_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
