"""Tensor calls from the consumer's side: windows become rows, and rows become forecasts, refusals and retries."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.cloudevents.reader import read_event
from interceptor.delivery import Delivery
from interceptor.errors import Refused, RetriableError
from interceptor.outcome import DeadLetter, Forecast, Outcome, Skipped
from interceptor.routes.route import Route
from interceptor.routes.tensor_call import build_tensor_request, read_tensor_response
from interceptor.routes.window_event import read_window
from model_service.protocols.graphpipe import (
    ErrorMessage,
    InferRequest,
    InferResponse,
    decode_infer_response,
    encode_infer_response,
    encode_request,
)
from model_service.protocols.tensor_calls import (
    CONTENT_TYPE,
    FORECASTS_TYPE,
    ForecastRows,
    decode_windows,
    encode_forecasts,
)
from tests.interceptor.routes.window_deliveries import DATA, delivery

URL_ROUTE = Route("other", "http://f.example/", batch=True, encoding="graphpipe")
HEADERS = {
    "Content-Type": CONTENT_TYPE,
    "ce-specversion": "1.0",
    "ce-id": "x",
    "ce-source": "/f",
    "ce-type": FORECASTS_TYPE,
    "ce-quantiles": "0.1,0.5,0.9",
    "ce-modelname": "m%C3%BCller",
    "ce-modelversion": "3",
}


def forecast(n: int = 1, horizon: int = 2) -> np.ndarray[Any, Any]:
    return np.arange(n * horizon * 3, dtype=np.float64).reshape(n, horizon, 3)


def settle(
    deliveries: list[Delivery], body: bytes, status: int = 200, **headers: str
) -> list[Outcome | RetriableError]:
    assert all(read_window(each) for each in deliveries)
    sent = {**HEADERS, **{name.replace("_", "-"): text for name, text in headers.items()}}
    route = deliveries[0].route
    assert route is not None
    return read_tensor_response(route, len(deliveries), status, sent, body).results(deliveries)


def published(outcome: Outcome | RetriableError) -> dict[str, Any]:
    assert isinstance(outcome, Forecast)
    (output,) = outcome.events
    document: dict[str, Any] = orjson.loads(read_event(output.headers, output.value).to_json())
    return document


def test_the_windows_of_a_call_are_one_tensor() -> None:
    deliveries = [
        delivery(),
        delivery({**DATA, "values": [7, None, 9]}),
        delivery({**DATA, "unit": "°C", "max": 30}),
        delivery([5, 6]),
    ]
    assert all(read_window(each) for each in deliveries)
    headers, body = build_tensor_request([each.opened for each in deliveries])
    assert headers.pop("ce-id")
    assert headers == {
        "Content-Type": "application/x-graphpipe",
        "ce-specversion": "1.0",
        "ce-source": "fncast/consumer",
        "ce-type": "io.fncast.windows.v1",
    }
    rows = decode_windows(body)
    assert str(rows.values.tolist()) == (
        "[[1.0, 2.0, 3.0, 4.0], [nan, 7.0, nan, 9.0], [1.0, 2.0, 3.0, 4.0], [nan, nan, 5.0, 6.0]]"
    )
    assert rows.lengths.tolist() == [4, 3, 4, 2]
    assert str(rows.low.tolist()) == "[nan, nan, -inf, nan]"
    assert str(rows.high.tolist()) == "[nan, nan, 30.0, nan]"


def test_a_scored_row_is_a_forecast_event() -> None:
    window = delivery({**DATA, "unit": "%", "labels": {"device": "a7"}}, subject="cpu", traceparent="t")
    (outcome,) = settle([window], encode_forecasts(ForecastRows(forecast(), [""], [1])))
    output = published(outcome)
    assert len(output.pop("id")) == 36
    assert output == {
        "specversion": "1.0",
        "type": "io.fncast.forecast.v1",
        "source": "/f",
        "datacontenttype": "application/json",
        "causationid": "1",
        "causationsource": "/in",
        "subject": "cpu",
        "traceparent": "t",
        "modelname": "müller",
        "modelversion": "3",
        "data": {
            "start": "2024-01-01T00:20:00Z",
            "step_s": 300,
            "values": [1.0, 4.0],
            "quantiles": {"0.1": [0.0, 3.0], "0.5": [1.0, 4.0], "0.9": [2.0, 5.0]},
            "unit": "%",
            "filled": 1,
            "history": 4,
            "labels": {"device": "a7"},
        },
    }


def test_float32_is_written_short_and_gaps_that_the_function_does_not_report_are_counted() -> None:
    values = np.full((1, 1, 3), 21.34, np.float32)
    (outcome,) = settle(
        [delivery({**DATA, "values": [1, None, None, 4]})], encode_forecasts(ForecastRows(values, [""]))
    )
    assert published(outcome)["data"]["values"] == [21.34]
    assert published(outcome)["data"]["filled"] == 2


def test_each_row_has_its_own_outcome() -> None:
    values = forecast(4)
    values[1], values[2], values[3] = np.nan, np.nan, np.nan
    waits = np.array([np.nan, np.nan, 2.5, np.nan])
    rows = ForecastRows(values, ["", "too few\nvalues", "away", ""], [0] * 4, waits)
    scored, refused, away, broken = settle([delivery() for _ in range(4)], encode_forecasts(rows))
    assert isinstance(scored, Forecast)
    assert refused == DeadLetter("too few values", attempts=1, kind="refused_by_function")
    assert isinstance(away, RetriableError)
    assert (str(away), away.retry_after_s) == ("the function is unavailable: away", 2.5)
    assert str(broken) == "invalid answer: row 3 has neither a finite forecast nor a reason"


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        (b"", {}, "invalid answer: an offset at byte 0"),
        (b"garbage" * 9, {}, "invalid answer: "),
        (
            encode_forecasts(ForecastRows(forecast(2), ["", ""])),
            {},
            r"float64 [2, 2, 3] instead of floats [1, ",
        ),
        (encode_forecasts(ForecastRows(forecast()[0], [""])), {}, "float64 [2, 3] instead of floats [1, "),
        (encode_infer_response(InferResponse((forecast(),))), {}, "1 tensors instead of forecast, reasons"),
        (
            encode_forecasts(ForecastRows(forecast(), ["", ""])),
            {},
            "reasons is object [2] instead of [1] strings",
        ),
        (encode_infer_response(InferResponse((forecast(), np.zeros(1)))), {}, "reasons is float64 [1]"),
        (encode_forecasts(ForecastRows(forecast(), [""], [1, 2])), {}, "filled must be [1] integers"),
        (
            encode_forecasts(ForecastRows(forecast().astype(np.int32), [""])),  # type: ignore[arg-type]
            {},
            "int32 [1, 2, 3] instead of floats",
        ),
        (
            encode_forecasts(ForecastRows(np.zeros((1, 700_000, 3), np.float32), [""])),
            {},
            "2100000 numbers; at most 2000000",
        ),
        (
            encode_forecasts(ForecastRows(forecast(), [""])),
            {"ce_quantiles": ""},
            "quantiles '' are not numbers such as",
        ),
        (encode_forecasts(ForecastRows(forecast(), [""])), {"ce_quantiles": "0.5"}, "3 quantiles, and ce-"),
        (encode_forecasts(ForecastRows(forecast(), [""])), {"ce_quantiles": "1,2,3"}, "between 0 and 1"),
        (
            encode_forecasts(ForecastRows(forecast(), [""])),
            {"ce_type": "x"},
            "a tensor of the type 'x' instead",
        ),
        (encode_forecasts(ForecastRows(forecast(), [""])), {"ce_source": ""}, "ce-source is missing"),
        (
            encode_infer_response(InferResponse((), (ErrorMessage(3, "no model"),))),
            {},
            "the function reports an error: no model",
        ),
        (b"[]", {"Content_Type": "application/cloudevents-batch+json"}, 'set encoding = "json"'),
        (b"{", {"Content_Type": "application/json"}, "invalid answer"),
    ],
)
def test_an_answer_that_breaks_the_contract_is_retried(
    body: bytes, headers: dict[str, str], error: str
) -> None:
    with pytest.raises(RetriableError) as caught:
        settle([delivery()], body, **headers)
    assert error in str(caught.value)


def test_a_row_without_a_forecast_is_retried() -> None:
    (result,) = settle([delivery()], encode_forecasts(ForecastRows(np.empty((1, 0, 0)), [""])))
    assert isinstance(result, RetriableError)


def test_a_status_has_the_same_meaning_as_for_json() -> None:
    assert settle([delivery(route=URL_ROUTE)], b"", 204, Content_Type="") == [Skipped("no event to publish")]
    with pytest.raises(Refused, match="413"):
        settle([delivery()], b"{}", 413, Content_Type="application/json")
    with pytest.raises(RetriableError, match="415"):  # a function that takes no tensors refuses all of them
        settle([delivery(route=URL_ROUTE)], b"", 415, Content_Type="text/plain")
    with pytest.raises(RetriableError, match="502"):
        settle([delivery()], encode_forecasts(ForecastRows(forecast(), [""])), 502)


def event(type_: str, **data: object) -> bytes:
    return orjson.dumps({"specversion": "1.0", "id": "o", "source": "/f", "type": type_, "data": data})


def test_one_event_answers_the_whole_call() -> None:
    kind = {"Content_Type": "application/cloudevents+json"}
    with pytest.raises(RetriableError, match="the function is unavailable: full") as caught:
        settle(
            [delivery(), delivery()],
            event("io.fncast.unavailable.v1", reason="full", retry_after_s=2),
            **kind,
        )
    assert caught.value.retry_after_s == 2
    assert (
        settle([delivery()] * 2, event("io.fncast.none.v1"), **kind) == [Skipped("no event to publish")] * 2
    )
    # The events may be good: the call as a whole was not understood.
    with pytest.raises(RetriableError, match=r"not JSON; set encoding = .json. in \[routes.forecast\]"):
        settle([delivery()], event("io.fncast.rejected.v1", reason="not JSON"), **kind)


WINDOW = encode_request(InferRequest((np.array([1, 2, math.nan, 4]),), ("windows",)))
TENSOR_EVENT = {"datacontenttype": CONTENT_TYPE, "start": DATA["start"], "step": "PT5M", "unit": "%"}


def test_an_event_may_carry_and_ask_for_a_tensor() -> None:
    window = delivery(WINDOW, **TENSOR_EVENT, accept=CONTENT_TYPE)  # type: ignore[arg-type]
    (outcome,) = settle([window], encode_forecasts(ForecastRows(forecast(), [""], [1])))
    assert isinstance(outcome, Forecast)
    (output,) = outcome.events
    attributes = read_event(output.headers, output.value).attributes
    assert {name: attributes[name] for name in ("start", "step", "unit", "quantiles", "filled")} == {
        "start": "2024-01-01T00:20:00Z",
        "step": "PT5M",
        "unit": "%",
        "quantiles": "0.1,0.5,0.9",
        "filled": "1",
    }
    assert attributes["datacontenttype"] == CONTENT_TYPE
    (tensor,) = decode_infer_response(output.value or b"").output_tensors
    assert tensor.tolist() == forecast().tolist()


def test_a_tensor_may_be_answered_in_json() -> None:
    (outcome,) = settle(
        [delivery(WINDOW, **TENSOR_EVENT)],  # type: ignore[arg-type]
        encode_forecasts(ForecastRows(forecast(), [""], [1])),
    )
    data = published(outcome)["data"]
    assert (data["start"], data["step"], data["unit"]) == ("2024-01-01T00:20:00Z", "PT5M", "%")


@given(st.binary(max_size=100), st.integers(0, 400), st.integers(0, 255))
def test_no_answer_raises_anything_else(noise: bytes, place: int, byte: int) -> None:
    body = bytearray(
        encode_forecasts(ForecastRows(forecast(2), ["", "bad"], [0, 0], np.array([1.0, np.nan])))
    )
    body[place % len(body)] = byte
    for each in (noise, bytes(body)):
        try:
            results = settle([delivery(), delivery()], each)
        except RetriableError:
            continue
        assert len(results) == 2
