"""A tensor call: the windows of many events as one GraphPipe message, and the reading of its response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import uuid4

import numpy as np

from fncast.media_type import is_tensor
from interceptor.cloudevents.answers import Output, invalid_answer
from interceptor.cloudevents.attributes import quoted
from interceptor.cloudevents.event import Event
from interceptor.readings.naming import is_unicode
from interceptor.routes.client import Answer
from interceptor.routes.http_response import attribute_text, read_response
from interceptor.routes.route import Route
from interceptor.routes.tensor_answer import FORECAST_TYPE, SingleAnswer, TensorAnswer
from interceptor.routes.window_event import readings_of
from model_service.protocols.tensor_calls import (
    CONTENT_TYPE,
    FORECASTS_TYPE,
    WINDOWS_TYPE,
    decode_forecasts,
    encode_windows,
    parse_levels,
    window_rows,
)

SOURCE = "fncast/consumer"


def build_tensor_request(events: Sequence[Event]) -> tuple[dict[str, str], bytes]:
    """Return headers and body of a call. events: accepted by `read_window`."""
    readings = [readings_of(event) for event in events]
    low = np.array([np.nan if each.low is None else each.low for each in readings], float)
    high = np.array([np.nan if each.high is None else each.high for each in readings], float)
    headers = {
        "Content-Type": CONTENT_TYPE,
        "ce-specversion": "1.0",
        "ce-id": uuid4().hex,
        "ce-source": SOURCE,
        "ce-type": WINDOWS_TYPE,
    }
    return headers, encode_windows(window_rows([each.values for each in readings], low, high))


def read_tensor_response(
    route: Route, count: int, status: int, headers: Mapping[str, str], body: bytes
) -> Answer:
    """Return the answer to a call with `count` windows. Raises RetriableError or Rejected, as `read_response`."""
    if not (200 <= status < 300 and is_tensor(headers.get("Content-Type"))):
        return SingleAnswer(route, read_response(route, status, headers, body))
    attributes = _attributes(headers)
    try:
        rows = decode_forecasts(body, count)
        levels = parse_levels(attributes["quantiles"]) if rows.values.size else ()
    except (KeyError, ValueError) as error:
        reason = "the header ce-quantiles is missing" if isinstance(error, KeyError) else error
        raise invalid_answer(reason) from None
    if rows.values.size and rows.values.shape[2] != len(levels):
        raise invalid_answer(
            f"forecast has {rows.values.shape[2]} quantiles, and ce-quantiles names {len(levels)}"
        )
    output = Output(
        "",
        attributes["source"],
        "1.0",
        FORECAST_TYPE,
        datacontenttype="application/json",
        modelname=attributes.get("modelname", ""),
        modelversion=attributes.get("modelversion", ""),
    )
    return TensorAnswer(rows, levels, output)


def _attributes(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes in the headers of a tensor. Raises RetriableError if it is not an event of forecasts."""
    attributes = {
        name.lower().removeprefix("ce-"): attribute_text(value)
        for name, value in headers.items()
        if name.lower().startswith("ce-")
    }
    for name, text in attributes.items():
        if not is_unicode(text):  # the HTTP client keeps such bytes as lone surrogates
            raise invalid_answer(f"the header ce-{name} is not valid UTF-8")
    if attributes.get("specversion") != "1.0" or attributes.get("type") != FORECASTS_TYPE:
        raise invalid_answer(
            f"a tensor of the type {quoted(attributes.get('type', ''))} instead of {FORECASTS_TYPE}"
        )
    if not attributes.get("source"):
        raise invalid_answer("the header ce-source is missing")
    return attributes
