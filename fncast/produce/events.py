"""Builds the CloudEvents to publish: from windows, and from JSON documents."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import orjson
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, to_binary, to_structured
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from fncast.produce.windows import ProducedWindow
from fncast.series.rfc3339 import parse_time
from fncast.series.step import format_start

WINDOW_TYPE = "io.fncast.window.v1"
REQUIRED = ("specversion", "id", "source", "type")
JSON_CONTENT_TYPE = "application/json"

Mode = Literal["binary", "structured"]


class InvalidEventText(ValueError):
    """The text is not a CloudEvent in JSON. The message gives the reason."""


def build_window_event(window: ProducedWindow, *, source: str, destination: str, run: str = "") -> CloudEvent:
    """Build the event for a window. The same window of the same run always gets the same id.

    source: a URI-reference. run: distinguishes windows with equal indices, for feeds that always start with index 0.
    """
    data: dict[str, Any] = {
        "start": format_start(window.start, window.step),
        **window.step.as_json(window.start),
        "values": window.values,
    }
    if window.unit is not None:
        data["unit"] = window.unit
    if window.highest is not None:
        data["max"] = window.highest
    parts = (window.series, run, str(len(window.values)), str(window.index))
    attributes = {
        "specversion": "1.0",
        "id": "-".join(part for part in parts if part),
        "source": source,
        "type": WINDOW_TYPE,
        "subject": window.series,
        "time": window.end,
        "datacontenttype": JSON_CONTENT_TYPE,
        "destination": destination,
        "partitionkey": window.series,
    }
    return CloudEvent(attributes, data)


def parse_event(text: bytes, destination: str | None = None) -> CloudEvent:
    """Parse one event in structured JSON form.

    destination: the default for events without one. Raises InvalidEventText.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidEventText(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InvalidEventText(f"a CloudEvent must be a JSON object, not {_kind(document)}")
    if missing := [name for name in REQUIRED if document.get(name) in (None, "")]:
        raise InvalidEventText(f"not a CloudEvent: {' and '.join(missing)} missing")
    data = _data(document)
    attributes = {
        name: _attribute(name, value) for name, value in document.items() if value not in (None, "")
    }
    if destination is not None:
        attributes.setdefault("destination", destination)
    if data is not None and not isinstance(data, bytes):
        attributes.setdefault("datacontenttype", JSON_CONTENT_TYPE)
    has_no_time = "time" not in attributes
    try:
        event = CloudEvent(attributes, data)
    except CloudEventValidationError as error:
        reasons = "; ".join(str(reason) for reasons in error.errors.values() for reason in reasons)
        raise InvalidEventText(f"not a CloudEvent: {reasons}") from None
    if has_no_time:  # the SDK adds the current time, but the event must stay as it is
        del event.get_attributes()["time"]
    return event


def to_kafka_record(event: CloudEvent, mode: Mode = "binary") -> KafkaMessage:
    """Convert an event to a Kafka record. The key is the `partitionkey`. Without data, the value is null."""
    if mode == "structured":
        return to_structured(event, _FORMAT)
    message = to_binary(event, _FORMAT)
    if event.get_data() is not None:
        return message
    return replace(message, value=None)  # type: ignore[arg-type]  # the SDK has no null value


class _Format(JSONFormat):
    """The SDK's JSON format, but any JSON value stays JSON in binary mode, and NaN becomes null.

    The SDK writes every value except a dict as its Python representation.
    """

    def write(self, event: BaseCloudEvent) -> bytes:
        if isinstance(event.get_data(), bytes):
            return super().write(event)  # as data_base64
        document = dict(event.get_attributes())
        if event.get_data() is not None:
            document["data"] = event.get_data()
        return orjson.dumps(document, option=orjson.OPT_UTC_Z)

    def write_data(self, data: Any, datacontenttype: str | None) -> bytes:
        if data is None:
            return b""
        if isinstance(data, bytes):
            return data
        is_json = JSONFormat.JSON_CONTENT_TYPE_PATTERN.match(datacontenttype or JSON_CONTENT_TYPE)
        if isinstance(data, str) and not is_json:
            return data.encode()
        return orjson.dumps(data)


_FORMAT = _Format()


def _data(document: dict[str, Any]) -> Any:
    """Remove the data from a document. Returns a JSON value, bytes, or None if there is no data."""
    data, encoded = document.pop("data", None), document.pop("data_base64", None)
    if encoded is None:
        return data
    if data is not None:
        raise InvalidEventText("not a CloudEvent: it has both data and data_base64")
    import base64  # rarely needed

    try:
        return base64.b64decode(encoded, validate=True)
    except (ValueError, TypeError):
        raise InvalidEventText("not a CloudEvent: data_base64 is not Base64") from None


def _attribute(name: str, value: Any) -> str | int | datetime:
    if isinstance(value, bool):
        # The string form of the CloudEvents type system; the SDK would write True.
        return "true" if value else "false"
    if not isinstance(value, str | int):
        raise InvalidEventText(f"not a CloudEvent: attribute {name} is {_kind(value)}")
    if name != "time":
        return value
    try:
        return parse_time(str(value))
    except ValueError as error:
        raise InvalidEventText(f"not a CloudEvent: time {error}") from None


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
