"""CloudEvents as they are published: windows, and events that come as JSON."""

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

from fncast.produce.windows import SeriesWindow
from fncast.series.rfc3339 import parse_time
from fncast.series.step import format_start

WINDOW_TYPE = "io.fncast.window.v1"
REQUIRED = ("specversion", "id", "source", "type")
JSON_CONTENT_TYPE = "application/json"

Mode = Literal["binary", "structured"]


class InvalidEventText(ValueError):
    """A text that is no CloudEvent in JSON; the message says why."""


def build_window_event(window: SeriesWindow, *, source: str, destination: str, run: str = "") -> CloudEvent:
    """The CloudEvent of a window. Its id is the same whenever the same window of the same `run` is made.

    source: a URI-reference. run: tells apart windows with equal indices, where a feed starts from 0 each time.
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
    """The event that one JSON document (the structured form) holds.

    destination: given to an event that names none. Raises InvalidEventText.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidEventText(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InvalidEventText(f"a CloudEvent is a JSON object, this is {_kind(document)}")
    if missing := [name for name in REQUIRED if document.get(name) in (None, "")]:
        raise InvalidEventText(f"no CloudEvent: {' and '.join(missing)} missing")
    data = _data(document)
    attributes = {
        name: _attribute(name, value) for name, value in document.items() if value not in (None, "")
    }
    if destination is not None:
        attributes.setdefault("destination", destination)
    if data is not None and not isinstance(data, bytes):
        attributes.setdefault("datacontenttype", JSON_CONTENT_TYPE)
    timeless = "time" not in attributes
    try:
        event = CloudEvent(attributes, data)
    except CloudEventValidationError as error:
        reasons = "; ".join(str(reason) for reasons in error.errors.values() for reason in reasons)
        raise InvalidEventText(f"no CloudEvent: {reasons}") from None
    if timeless:  # the SDK gives an event that has no time the present one: not the event that we were given
        del event.get_attributes()["time"]
    return event


def to_kafka_record(event: CloudEvent, mode: Mode = "binary") -> KafkaMessage:
    """The Kafka record of an event. Its key is the event's `partitionkey`; without data its value is null."""
    if mode == "structured":
        return to_structured(event, _FORMAT)
    message = to_binary(event, _FORMAT)
    if event.get_data() is not None:
        return message
    return replace(message, value=None)  # type: ignore[arg-type]  # the SDK knows no null value


class _Format(JSONFormat):
    """The SDK's JSON, but lists and other JSON values stay JSON in binary mode, and NaN becomes null.

    The SDK writes any value but a dict as Python prints it.
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
    """Take the data out of a document: a JSON value, bytes, or None where there is none."""
    data, encoded = document.pop("data", None), document.pop("data_base64", None)
    if encoded is None:
        return data
    if data is not None:
        raise InvalidEventText("no CloudEvent: it has both data and data_base64")
    import base64  # rare

    try:
        return base64.b64decode(encoded, validate=True)
    except (ValueError, TypeError):
        raise InvalidEventText("no CloudEvent: data_base64 is not Base64") from None


def _attribute(name: str, value: Any) -> str | int | datetime:
    if isinstance(value, bool):
        return "true" if value else "false"  # the CloudEvents type system's text; the SDK would write True
    if not isinstance(value, str | int):
        raise InvalidEventText(f"no CloudEvent: attribute {name} is {_kind(value)}")
    if name != "time":
        return value
    try:
        return parse_time(str(value))
    except ValueError as error:
        raise InvalidEventText(f"no CloudEvent: time {error}") from None


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
