"""Deliveries of window events on a route for tensor calls."""

from __future__ import annotations

from typing import Any

import orjson

from interceptor.chain import read_delivery
from interceptor.delivery import Delivery, Record
from interceptor.routes.route import Route

ROUTE = Route("forecast", "fn:fncast/forecast", batch=True, encoding="graphpipe")


DATA = {"start": "2024-01-01T00:00:00Z", "step_s": 300, "values": [1, 2, 3, 4]}


def delivery(data: Any = DATA, route: Route = ROUTE, **attributes: str) -> Delivery:
    """A delivery of a window event. data: JSON, or bytes in the type of the attributes."""
    members = {"specversion": "1.0", "id": "1", "source": "/in", "type": "io.fncast.window.v1"} | attributes
    content_type = members.pop("datacontenttype", "application/json")
    headers = [(f"ce_{name}", text.encode()) for name, text in members.items()]
    headers.append(("content-type", content_type.encode()))
    value = data if isinstance(data, bytes | None) else orjson.dumps(data)
    created = Delivery(Record("metrics", 0, 0, 0, None, value, headers))
    read_delivery(created)
    created.route = route
    return created
