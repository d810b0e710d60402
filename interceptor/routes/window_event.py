"""Window events on a route for tensor calls: each is read once, and becomes a row of a tensor."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from fncast.media_type import is_tensor
from fncast.series.rfc3339 import parse_time
from fncast.series.step import Step
from fncast.series.window import Float64Array, InvalidWindow, to_row
from fncast.series.window_data import (
    EventReadings,
    InvalidData,
    WindowData,
    grid_json_of,
    limits_of,
    read_json,
    read_readings,
    unit_of,
)
from interceptor.assembly.window import Window, WindowEvent, time_text
from interceptor.cloudevents.event import Event
from interceptor.delivery import Delivery
from interceptor.outcome import DeadLetter
from model_service.protocols.tensor_events import read_tensor_event

_BYTES = 8  # of a reading in a tensor
_MAX_CACHED_STARTS = 4096
_window = msgspec.json.Decoder(WindowData)


class ReadEvent(Event):
    """An event whose data has been read as a window. readings: its values are an array of float64, NaN for a gap."""

    readings: EventReadings


def read_window(delivery: Delivery) -> bool:
    """Read the window in the delivery's event, once. Settles the delivery as a dead letter if there is none.

    Returns whether the event has a window.
    """
    event = delivery.opened
    if _is_read(event):
        return True
    try:
        readings = _read(event)
    except (InvalidData, InvalidWindow) as error:
        delivery.outcome = DeadLetter(str(error), attempts=delivery.attempts, kind="not_a_window")
        return False
    if isinstance(event, WindowEvent):
        event.readings = readings
    else:
        delivery.event = ReadEvent(event.attributes, event.data, event.is_json, event.members, readings)
    return True


def _is_read(event: Event) -> bool:
    if isinstance(event, WindowEvent):
        return not event.is_replaced or event.readings is not None
    return isinstance(event, ReadEvent)


def readings_of(event: Event) -> EventReadings:
    """Return the readings of an event that `read_window` has accepted."""
    if type(event) is WindowEvent:
        if event.readings is None:
            event.readings = _assembled(event.window)
        return event.readings
    assert isinstance(event, ReadEvent)
    return event.readings


def row_bytes(event: Event) -> int:
    """Return the size in bytes of the row of such an event in a tensor."""
    if type(event) is WindowEvent and not event.is_replaced:
        return len(event.window.values) * _BYTES
    return len(readings_of(event).values) * _BYTES


def _read(event: Event) -> EventReadings:
    """Return the window in the event's data.

    Raises InvalidData or InvalidWindow, with the reason that the forecast function gives for the same event in JSON.
    """
    content = event.data
    if content is None:
        raise InvalidData("the event has no data")
    if event.is_json:
        try:
            data: Any = _window.decode(content)
        except (msgspec.MsgspecError, RecursionError):
            data = _json(content)
    elif is_tensor(event.attributes.get("datacontenttype")):
        data = read_tensor_event(content, event.attributes)
    else:
        data = _json(content)
    readings = read_readings(data)
    readings.values = to_row(readings.values, are_checked=type(data) is WindowData)
    return readings


def _json(content: bytes) -> object:
    try:
        data = read_json(content)
    except ValueError as error:
        raise InvalidData(f"the event's data is not JSON: {error}") from None
    if data is None:
        raise InvalidData("the event has no data")
    return data


def _assembled(window: Window) -> EventReadings:
    values: Float64Array = np.frombuffer(window.values, np.float64)
    unit = window.unit or None
    low, high = limits_of(window.low, window.high, unit)
    labels = b',"labels":' + window.labels_json if window.labels_json else b""
    step = window.step
    grid_json = _assembled_grid_json(window.start_ns, step.period_s, step.months, step.day, len(values))
    return EventReadings(values, grid_json, unit_of(unit), low, high, labels)


@lru_cache(_MAX_CACHED_STARTS)
def _assembled_grid_json(
    start_ns: int, period_s: float | None, months: int | None, day: int | None, steps: int
) -> bytes:
    """Return the members `start` and `step` of the forecast's data.

    The step comes as numbers, because their hash is fast.
    """
    start = time_text(start_ns)
    return grid_json_of({"start": start, **Step(period_s, months, day).as_json(parse_time(start))}, steps)
