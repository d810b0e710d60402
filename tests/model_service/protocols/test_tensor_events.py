"""Events whose data is a GraphPipe message: the window is read as from JSON."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from fncast.series.window_data import InvalidData, read_readings
from model_service.protocols.graphpipe import decode_infer_response
from model_service.protocols.tensor_calls import encode_windows, window_rows
from model_service.protocols.tensor_events import encode_forecast, read_tensor_event

START, STEP = "2024-01-01T00:00:00Z", "PT5M"


def message(*windows: list[float], low: float = math.nan, high: float = math.nan) -> bytes:
    arrays = [np.array(window, float) for window in windows]
    return encode_windows(window_rows(arrays, np.full(len(windows), low), np.full(len(windows), high)))


@pytest.mark.parametrize(
    ("attributes", "members"),
    [
        ({}, None),
        ({"start": START, "step": STEP}, {"start": START, "step": STEP}),
        ({"start": START, "step": STEP, "unit": "%"}, {"start": START, "step": STEP, "unit": "%"}),
        (
            {"start": "2024-02-29T00:00:00Z", "step": "P1M", "stepday": "30"},
            {"start": "2024-02-29T00:00:00Z", "step": "P1M", "step_day": 30},
        ),
    ],
)
def test_the_window_is_the_same_as_from_json(
    attributes: dict[str, Any], members: dict[str, Any] | None
) -> None:
    values = [1.0, None, 2.0]
    data: Any = values if members is None else {"values": values, **members}
    found = read_tensor_event(message([1.0, math.nan, 2.0]), attributes)
    assert found == read_readings(data)


def test_limits_of_the_tensor_are_those_of_the_forecast() -> None:
    found = read_tensor_event(message([1.0, 2.0], low=-1.0, high=5.0), {})
    assert (found.low, found.high) == (-1.0, 5.0)
    assert read_tensor_event(message([1.0, 2.0], low=-math.inf), {}).low == -math.inf


@pytest.mark.parametrize(
    ("content", "attributes", "reason"),
    [
        (b"garbage", {}, "the event's data is not a GraphPipe message with a window: "),
        (message([1.0], [2.0]), {}, "the event's data holds 2 windows; an event has one"),
        (message([1.0]), {"unit": 5}, "unit is not a string"),
        (message([1.0]), {"start": START}, "step"),
        (message([1.0]), {"step": STEP}, "start"),
    ],
)
def test_an_event_without_a_window_is_rejected_with_a_reason(
    content: bytes, attributes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidData, match=re.escape(reason)):
        read_tensor_event(content, attributes)


def test_a_forecast_is_one_tensor_with_the_quantiles_last() -> None:
    values = np.arange(6, dtype=np.float32).reshape(3, 2)  # three quantiles of two steps
    (tensor,) = decode_infer_response(encode_forecast(values)).output_tensors
    assert tensor.dtype == np.float64
    assert tensor.tolist() == [[[0, 2, 4], [1, 3, 5]]]
