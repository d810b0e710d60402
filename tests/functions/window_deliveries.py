"""Deliveries of window events, and the events that are published for them."""

from __future__ import annotations

from typing import Any

import orjson

from interceptor.chain import read_delivery
from interceptor.delivery import Delivery, Record
from interceptor.outcome import DeadLetter, Forecast, Headers
from interceptor.routes.route import Route

START = "2024-01-31T00:00:00Z"


def window(place: int, data: Any, route: Route, **attributes: str) -> Delivery:
    """A delivery of a window event. data: as JSON, or bytes."""
    members = {"specversion": "1.0", "id": str(place), "source": "/in", "type": "io.fncast.window.v1"}
    members |= {"subject": f"series-{place}", "partitionkey": "k"} | attributes
    content_type = members.pop("datacontenttype", "application/json")
    headers: Headers = [(f"ce_{name}", text.encode()) for name, text in members.items()]
    headers.append(("content-type", content_type.encode()))
    value = data if isinstance(data, bytes) else orjson.dumps(data)
    delivery = Delivery(Record("metrics", 0, place, 0, None, value, headers))
    read_delivery(delivery)
    delivery.route = route
    return delivery


def data(values: Any = (1, 2, 3, 4), **members: Any) -> dict[str, Any]:
    return {"start": START, "step_s": 300, "values": list(values), **members}


def ended(deliveries: list[Delivery]) -> list[Any]:
    """What is published for each delivery, without `originid`: a tensor call has no ids of the function."""
    ends: list[Any] = []
    for delivery in deliveries:
        outcome = delivery.outcome
        if isinstance(outcome, Forecast):
            ends.append(
                [
                    ({name: text for name, text in output.headers if name != "ce_originid"}, output.value)
                    for output in outcome.events
                ]
            )
        else:
            assert isinstance(outcome, DeadLetter)
            ends.append(outcome.reason)
    return ends
