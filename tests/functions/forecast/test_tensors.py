"""Tensor calls to the function: the same forecasts and rejections as in JSON, and requests that are none."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import EVENT_TYPE
from handler import Forecaster
from model import ForecastModel
from model_service.client import InferenceResult, ModelUnavailable
from model_service.protocols.graphpipe import InferRequest, encode_request
from model_service.protocols.tensor_calls import (
    CONTENT_TYPE,
    FORECASTS_TYPE,
    WINDOWS_TYPE,
    ForecastRows,
    decode_forecasts,
    encode_windows,
    window_rows,
)
from tests.functions.fake_model import FakeClient, Falling, ask, event

HEADERS = {
    "content-type": CONTENT_TYPE,
    "ce-specversion": "1.0",
    "ce-id": "call",
    "ce-source": "/consumer",
    "ce-type": WINDOWS_TYPE,
}


def row(values: list[Any]) -> np.ndarray[Any, Any]:
    return np.array(values, dtype=np.float64)


def call(
    forecaster: Forecaster, windows: list[list[Any]], low: Any = None, high: Any = None
) -> tuple[dict[str, str], ForecastRows]:
    limits = [np.full(len(windows), math.nan) if limit is None else row(limit) for limit in (low, high)]
    body = encode_windows(window_rows([row(window) for window in windows], limits[0], limits[1]))
    answer = forecaster.answer(HEADERS, body)
    assert answer.content_type == CONTENT_TYPE
    return dict(answer.headers), decode_forecasts(answer.body, len(windows))


def test_a_row_is_answered_for_each_window(forecaster: Forecaster) -> None:
    headers, rows = call(forecaster, [[1, 2, 3, 4], [1, 2, 3, 40]])
    assert headers.pop("ce-id")
    assert headers == {
        "ce-specversion": "1.0",
        "ce-source": "fncast/forecast",
        "ce-type": FORECASTS_TYPE,
        "ce-modelname": "forecast",
        "ce-modelversion": "3",
        "ce-quantiles": "0.1,0.5,0.9",
    }
    assert rows.values.tolist() == [
        [[4.9, 5, 5.1], [5.9, 6, 6.1], [6.9, 7, 7.1]],
        [[40.9, 41, 41.1], [41.9, 42, 42.1], [42.9, 43, 43.1]],
    ]
    assert (rows.reasons, rows.filled, rows.retry_after_s) == (["", ""], [0, 0], None)


NULLS = st.none() | st.floats(-1e3, 1e3) | st.sampled_from([0, 2e18, 5])
SHARES = st.sampled_from([None, -1, 0, 99.5, 100, 100, 101])


@given(
    st.lists(
        st.tuples(
            st.lists(NULLS, max_size=7) | st.lists(SHARES, min_size=4, max_size=7),
            st.none() | st.floats(-10, 0),
            st.none() | st.floats(0, 10),
            st.sampled_from([None, "°C"]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_json_and_tensor_give_the_same(windows: list[tuple[list[Any], Any, Any, str | None]]) -> None:
    forecaster = Forecaster(ForecastModel(Falling()))
    events = [
        event(str(place), values, min=low, max=high, unit=unit)
        for place, (values, low, high, unit) in enumerate(windows)
    ]
    low = [math.nan if low is None else low for _, low, _, _ in windows]
    low = [
        -math.inf if unit and math.isnan(each) else each
        for each, (_, _, _, unit) in zip(low, windows, strict=True)
    ]
    high = [math.nan if high is None else high for _, _, high, _ in windows]
    _, rows = call(forecaster, [values for values, _, _, _ in windows], low, high)
    assert rows.filled is not None
    for output, numbers, reason, filled in zip(
        ask(forecaster, *events), rows.values, rows.reasons, rows.filled, strict=True
    ):
        if "reason" in output["data"]:
            assert output["type"] == "io.fncast.rejected.v1"
            assert reason == output["data"]["reason"]
        else:
            assert reason == ""
            assert list(output["data"]["quantiles"].values()) == numbers.T.tolist()
            assert output["data"]["filled"] == filled


def test_the_reasons_name_the_readings(forecaster: Forecaster) -> None:
    windows = [[1, 2, 3], [1, 2, None, math.inf], [None, None, None, 1], [1, 2, None, 4], [9, 8, 1, 2, 3, 4]]
    _, rows = call(forecaster, windows)
    assert rows.reasons == [
        "too few values: 3, the model needs 4",
        "values[3] is not finite: inf",
        "too few values: 3 of the last 4 are null; at most 2 may be",
        "",
        "",
    ]
    assert rows.filled == [0, 0, 0, 1, 0]


def test_each_row_waits_for_a_model_that_is_unavailable(forecaster: Forecaster, client: FakeClient) -> None:
    client.error = ModelUnavailable("away", 2.5)
    headers, rows = call(forecaster, [[1, 2, 3, 4], [1, 2]])
    assert "ce-quantiles" not in headers
    assert rows.reasons == ["away", "away"]
    assert rows.retry_after_s is not None
    assert rows.retry_after_s.tolist() == [2.5, 2.5]
    assert rows.values.shape == (2, 0, 0)


def test_rejected_rows_need_no_model(forecaster: Forecaster, client: FakeClient) -> None:
    forecaster.answer(HEADERS, encode_windows(window_rows([row([1, 2, 3, 4])], row([0]), row([9]))))

    def away(windows: object) -> InferenceResult:
        raise ModelUnavailable("away", 2.5)

    client.infer = away  # type: ignore[method-assign]
    _, rows = call(forecaster, [[1, 2, 3, 4], [1, 2]])
    assert rows.reasons == ["away", "too few values: 2, the model needs 4"]
    assert rows.retry_after_s is not None
    assert str(rows.retry_after_s.tolist()) == "[2.5, nan]"


def test_a_forecast_that_is_not_finite_is_a_reason(client: FakeClient) -> None:
    class Broken(FakeClient):
        def infer(self, windows: np.ndarray[Any, Any]) -> InferenceResult:
            answer = super().infer(windows)
            answer.outputs[0, 0, 0] = np.nan
            return answer

    _, rows = call(Forecaster(ForecastModel(Broken())), [[1, 2, 3, 4], [2, 3, 4, 5]])
    assert rows.reasons == ["the model returned a number that is not finite for this window", ""]
    assert np.isfinite(rows.values[1]).all()


def test_windows_of_any_length_are_scored_by_length() -> None:
    _, rows = call(Forecaster(ForecastModel(FakeClient(window=-1))), [[1, 2, 3], [1, 2, 3, 4, 5], [4]])
    assert rows.reasons == ["", "", ""]
    assert rows.values[:, 0, 1].tolist() == [4, 6, 5]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no data"),
        (b"[1, 2, 3]", "GraphPipe message"),
        (encode_request(InferRequest((np.zeros((1, 4), np.int32),))), "int32 instead of Float64"),
        (encode_request(InferRequest((np.zeros((1, 4)),), ("x",))), "no input is named 'x'"),
        (encode_request(InferRequest((np.zeros((2, 2, 2)),))), "the shape [2, 2, 2]"),
        (encode_request(InferRequest((np.zeros((10**6, 0)),))), "n ≤ 131072"),
        (
            encode_request(InferRequest((np.zeros((2, 4)), np.array([4, 5])), ("windows", "lengths"))),
            "lengths must be",
        ),
        (
            encode_request(InferRequest((np.zeros((2, 4)), np.zeros(3)), ("windows", "low"))),
            "low has the shape",
        ),
        (
            encode_request(InferRequest((np.zeros((1, 4)), row([2]), row([1])), ("windows", "low", "high"))),
            "low not above high",
        ),
    ],
)
def test_an_invalid_call_is_a_rejection(forecaster: Forecaster, body: bytes, reason: str) -> None:
    answer = forecaster.answer(HEADERS, body)
    assert answer.content_type == EVENT_TYPE
    output = json.loads(answer.body)
    assert output["type"] == "io.fncast.rejected.v1"
    assert reason in output["data"]["reason"]
    assert output["causationid"] == "call"


@given(st.binary(max_size=200), st.integers(0, 300), st.integers(0, 255))
def test_no_bytes_raise(noise: bytes, place: int, byte: int) -> None:
    forecaster = Forecaster(ForecastModel(FakeClient()))
    body = bytearray(encode_windows(window_rows([row([1, 2, 3, 4])] * 2, row([0, 1]), row([9, 9]))))
    body[place % len(body)] = byte
    for each in (noise, bytes(body)):
        forecaster.answer(HEADERS, each)
