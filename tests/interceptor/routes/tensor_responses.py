"""Responses to tensor calls, and how the deliveries of such a call end."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from interceptor.cloudevents.reader import read_event
from interceptor.delivery import Delivery
from interceptor.errors import RetriableError
from interceptor.outcome import Forecast, Outcome
from interceptor.routes.tensor_call import read_tensor_response
from interceptor.routes.window_event import read_window
from model_service.protocols.tensor_calls import (
    CONTENT_TYPE,
    FORECASTS_TYPE,
)

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
