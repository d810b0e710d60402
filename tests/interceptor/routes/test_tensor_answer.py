"""The answer to a tensor call: each row becomes a forecast, a rejection or a retry."""

from __future__ import annotations

import math

import numpy as np
import orjson
import pytest

from interceptor.cloudevents.reader import read_event
from interceptor.errors import RetriableError
from interceptor.outcome import DeadLetter, Forecast, Skipped
from model_service.protocols.graphpipe import (
    InferRequest,
    decode_infer_response,
    encode_request,
)
from model_service.protocols.tensor_calls import (
    CONTENT_TYPE,
    ForecastRows,
    encode_forecasts,
)
from tests.interceptor.routes.tensor_responses import forecast, published, settle
from tests.interceptor.routes.window_deliveries import DATA, delivery


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
    scored, rejected, away, broken = settle([delivery() for _ in range(4)], encode_forecasts(rows))
    assert isinstance(scored, Forecast)
    assert rejected == DeadLetter("too few values", attempts=1, kind="refused_by_function")
    assert isinstance(away, RetriableError)
    assert (str(away), away.retry_after_s) == ("the function is unavailable: away", 2.5)
    assert str(broken) == "invalid answer: row 3 has neither a finite forecast nor a reason"


def test_a_row_without_a_forecast_is_retried() -> None:
    (result,) = settle([delivery()], encode_forecasts(ForecastRows(np.empty((1, 0, 0)), [""])))
    assert isinstance(result, RetriableError)


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
