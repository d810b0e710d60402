"""Window and forecast events whose data is a GraphPipe message instead of JSON. docs/functions.md describes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fncast.series.window_data import EventReadings, InvalidData, grid_json_of, limits_of, unit_of
from model_service.protocols.graphpipe import InferResponse, InvalidMessage, encode_infer_response
from model_service.protocols.tensor_calls import decode_windows

# The attribute by which an event asks for a forecast in this form.
ACCEPT = "accept"


def read_tensor_event(content: bytes, attributes: Mapping[str, Any]) -> EventReadings:
    """The window in the data of one event; start, step and unit are attributes. Raises InvalidData."""
    try:
        rows = decode_windows(content)
    except InvalidMessage as error:
        raise InvalidData(f"the event's data is not a GraphPipe message with a window: {error}") from None
    if len(rows.values) != 1:
        raise InvalidData(f"the event's data holds {len(rows.values)} windows; an event has one")
    values = rows.values[0, rows.values.shape[1] - int(rows.lengths[0]) :].tolist()
    members = {name: attributes.get(name) or None for name in ("start", "step")}
    grid_json = b""
    if any(members.values()):
        grid_json = grid_json_of(
            {**members, "step_day": _integer(attributes.get("stepday") or None)}, len(values)
        )
    unit = attributes.get("unit") or None
    if unit is not None and type(unit) is not str:
        raise InvalidData("unit is not a string")
    low, high = (None if math.isnan(limit) else float(limit) for limit in (rows.low[0], rows.high[0]))
    is_unbounded = low == -math.inf
    lowest, highest = limits_of(None if is_unbounded else low, high, unit)
    numbers = [None if math.isnan(value) else value for value in values]
    return EventReadings(numbers, grid_json, unit_of(unit), low if is_unbounded else lowest, highest)


def encode_forecast(values: NDArray[np.floating[Any]]) -> bytes:
    """The data of one forecast event: a response with the tensor `forecast`, [1, horizon, quantiles].

    values: (quantiles, horizon).
    """
    return encode_infer_response(InferResponse((np.ascontiguousarray(values.T[None], np.float64),)))


def _integer(text: object) -> object:
    """An attribute as an integer; binary mode has only strings. Anything else is returned as it is."""
    return int(text) if type(text) is str and text.isascii() and text.isdecimal() and len(text) < 4 else text
