"""Events whose data, or whose forecast's data, is a GraphPipe message."""

import base64
import json
import math

import numpy as np
import orjson
import pytest

from events import EVENT_TYPE
from handler import Forecaster
from model_service.protocols.graphpipe import InferRequest, decode_infer_response, encode_request
from model_service.protocols.tensor_calls import CONTENT_TYPE
from tests.functions.fake_model import ask, event

TENSOR_EVENT = {
    "content-type": CONTENT_TYPE,
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/a",
    "ce-type": "io.fncast.window.v1",
    "ce-subject": "cpu",
    "ce-start": "2024-01-01T00:00:00Z",
    "ce-step": "PT5M",
    "ce-unit": "%",
}
WINDOW = encode_request(InferRequest((np.array([1, 2, math.nan, 4]),), ("windows",)))


def test_an_event_may_carry_a_tensor(forecaster: Forecaster) -> None:
    answer = forecaster.answer(TENSOR_EVENT, WINDOW)
    (expected,) = ask(forecaster, event(values=[1, 2, None, 4], step="PT5M", step_s=None, unit="%"))
    assert answer.content_type == EVENT_TYPE
    assert json.loads(answer.body) == expected


def test_an_event_in_a_batch_may_carry_a_tensor(forecaster: Forecaster) -> None:
    members = {name.removeprefix("ce-"): text for name, text in TENSOR_EVENT.items() if name[:3] == "ce-"}
    members |= {"datacontenttype": CONTENT_TYPE, "data_base64": base64.b64encode(WINDOW).decode()}
    output, other = ask(forecaster, members, event())
    assert output["data"]["filled"] == 1
    assert other["data"]["filled"] == 0


def test_an_event_may_ask_for_a_tensor(forecaster: Forecaster) -> None:
    answer = forecaster.answer({**TENSOR_EVENT, "ce-accept": CONTENT_TYPE}, WINDOW)
    assert answer.content_type == CONTENT_TYPE
    headers = dict(answer.headers)
    assert headers.pop("ce-id").startswith("forecast-")
    assert headers == {
        "ce-specversion": "1.0",
        "ce-type": "io.fncast.forecast.v1",
        "ce-source": "fncast/forecast",
        "ce-causationid": "1",
        "ce-causationsource": "/a",
        "ce-subject": "cpu",
        "ce-modelname": "forecast",
        "ce-modelversion": "3",
        "ce-quantiles": "0.1,0.5,0.9",
        "ce-filled": "1",
        "ce-history": "3",
        "ce-unit": "%25",
        "ce-start": "2024-01-01T00:20:00Z",
        "ce-step": "PT5M",
    }
    (forecast,) = decode_infer_response(answer.body).output_tensors
    assert forecast.tolist() == [[[4.9, 5, 5.1], [5.9, 6, 6.1], [6.9, 7, 7.1]]]


def test_a_json_event_may_ask_for_a_tensor(forecaster: Forecaster) -> None:
    output, other = ask(forecaster, {**event(), "accept": CONTENT_TYPE}, event("2"))
    assert output["datacontenttype"] == CONTENT_TYPE
    (forecast,) = decode_infer_response(base64.b64decode(output["data_base64"])).output_tensors
    assert forecast[0].T.tolist() == list(other["data"]["quantiles"].values())


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({}, b"[1,2,3,4]", "not a GraphPipe message with a window"),
        ({}, encode_request(InferRequest((np.zeros((2, 4)),))), "holds 2 windows; an event has one"),
        ({"ce-step": ""}, WINDOW, "step_s (seconds) or step"),
        ({"ce-start": ""}, WINDOW, "start"),
        ({"ce-step": "P1M", "ce-stepday": "2"}, WINDOW, "is not on step_day 2"),
        ({}, encode_request(InferRequest((np.array([1, 2, math.inf, 4]),))), "values[2] is not finite: inf"),
        ({}, encode_request(InferRequest((np.array([]),))), "too few values: 0"),
    ],
)
def test_an_event_with_a_wrong_tensor_is_rejected(
    forecaster: Forecaster, headers: dict[str, str], body: bytes, reason: str
) -> None:
    output = orjson.loads(forecaster.answer({**TENSOR_EVENT, **headers}, body).body)
    assert output["type"] == "io.fncast.rejected.v1"
    assert reason in output["data"]["reason"]


def test_a_tensor_without_start_has_a_forecast_without_start(forecaster: Forecaster) -> None:
    answer = forecaster.answer({**TENSOR_EVENT, "ce-start": "", "ce-step": ""}, WINDOW)
    assert json.loads(answer.body)["data"].keys() == {"values", "quantiles", "unit", "filled", "history"}
