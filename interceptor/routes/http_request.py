"""Builds the HTTP request of a call: CloudEvents' HTTP binding in batched, structured or binary mode."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from fncast.foreign_text import clean
from interceptor.cloudevents.content import as_content
from interceptor.cloudevents.event import Event
from interceptor.errors import Rejected
from interceptor.routes.route import Route

BATCH_TYPE = "application/cloudevents-batch+json"
EVENT_TYPE = "application/cloudevents+json"
BAD_REQUEST = 400
# Characters that the HTTP binding leaves as they are in a header's value (section 3.1.3.2).
_SAFE = "!#$&'()*+,/:;=?@[]^_`{|}~-.<>\\"


def build_request(route: Route, events: Sequence[Event]) -> tuple[dict[str, str], bytes]:
    """Return headers and body. Takes exactly one event unless the route takes batches.

    Raises Rejected if an attribute cannot be sent as a header.
    """
    if route.batch:
        return {"Content-Type": BATCH_TYPE}, b"[%b]" % b",".join([event.to_json() for event in events])
    (event,) = events
    if route.mode == "structured":
        return {"Content-Type": EVENT_TYPE}, event.to_json()
    headers = {
        f"ce-{name}": quote(event.text(name) or "", safe=_SAFE)
        for name in event.attributes
        if name != "datacontenttype"
    }
    content_type = event.text("datacontenttype")
    if content_type is None and event.data is not None:
        content_type = "application/json" if event.is_json else "application/octet-stream"
    if content_type:
        if not content_type.isprintable():
            raise Rejected(
                f"the event's datacontenttype {clean(content_type, 64)!r} is not a valid header value",
                BAD_REQUEST,
                is_sent=False,
            )
        headers["Content-Type"] = content_type
    data = event.data or b""
    return headers, as_content(data, content_type) if event.is_json else data
