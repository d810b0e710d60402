"""Reads the CloudEvents of a request in binary, structured or batch mode.

Protocol: CloudEvents 1.0.2, HTTP binding and JSON format.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import msgspec
import orjson

from fncast.foreign_text import clean
from fncast.media_type import are_same, is_tensor
from fncast.series.window_data import InvalidData, WindowData, read_json
from model_service.protocols.tensor_calls import WINDOWS_TYPE
from model_service.protocols.tensor_events import ACCEPT, read_tensor_event

REQUIRED = ("id", "source", "specversion", "type")
EVENT_TYPE = "application/cloudevents+json"
BATCH_TYPE = "application/cloudevents-batch+json"
MAX_SHOWN_CHARACTERS = 64  # of a name or value of a header, in a reason

Text = Annotated[str, msgspec.Meta(min_length=1)]


class _PlainEvent(msgspec.Struct):
    """A valid event, with the members that a forecast needs. msgspec parses and checks it in one pass."""

    id: Text
    source: Text
    specversion: Literal["1.0"]
    type: Text
    data: WindowData
    subject: str | None = None
    accept: str | None = None
    data_base64: None = None


_plain_batch = msgspec.json.Decoder(list[_PlainEvent])


class UnscorableEvent(InvalidData):
    """An event cannot be scored. The text says which part of it is wrong."""


# Not frozen: one is created for every event, and frozen dataclasses are slow to create.
@dataclass(slots=True)
class InputEvent:
    """The parts of an input event that its output needs.

    digest: 32 hexadecimal digits, the same for the same source, id and subject.
    members: `,"causationid":…,"causationsource":…[,"subject":…]` as JSON, or empty if the event has no id or source.
    data: a WindowData, other parsed JSON data, EventReadings from a tensor, or an InvalidData if the event is invalid.
    wants_tensor: whether the event asks for a forecast whose data is a GraphPipe message.
    """

    digest: bytes
    members: bytes
    data: object
    wants_tensor: bool = False


@dataclass(frozen=True, slots=True)
class EventRequest:
    """The events of a request, in their order.

    is_batch: whether the answer must be a batch. is_plain: whether the data of each event is a WindowData.
    is_binary: whether the request is one event in binary mode.
    """

    events: list[InputEvent]
    is_batch: bool
    is_plain: bool = False
    is_binary: bool = False


def read_request(headers: Mapping[str, str | list[str]], body: bytes) -> EventRequest:
    """The events of a request. headers: names in lower case, as the FDK passes them.

    A body without `ce-*` headers is read whatever its content type is, because `fn invoke` posts text/plain.
    Raises nothing: an invalid event has an UnscorableEvent as its data.
    """
    content_type = _first_value(headers.get("content-type", "")).partition(";")[0].strip().lower()
    if "ce-specversion" in headers and not content_type.startswith("application/cloudevents"):
        return EventRequest([_binary(headers, body)], is_batch=False, is_binary=True)
    if content_type == BATCH_TYPE:
        try:
            if not body.isascii():
                body.decode("utf-8")  # the decoder does not check members that it skips
            plain = _plain_batch.decode(body)
            return EventRequest(
                [_named(event.id, event.source, event.subject, event.data, event.accept) for event in plain],
                is_batch=True,
                is_plain=True,
            )
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # read event by event below, so that each gets its own reason
    try:
        document = read_json(body)
    except ValueError as error:
        return EventRequest([_rejected(f"the body is not JSON: {error}")], content_type == BATCH_TYPE)
    if isinstance(document, list) and (content_type == BATCH_TYPE or _is_batch(document)):
        return EventRequest([_structured(member, is_event=True) for member in document], is_batch=True)
    if content_type == BATCH_TYPE:
        return EventRequest([_rejected("the body is not a JSON array of events")], is_batch=True)
    return EventRequest([_structured(document, is_event=content_type == EVENT_TYPE)], is_batch=False)


def is_tensor_call(headers: Mapping[str, str | list[str]]) -> bool:
    """Whether a request holds the windows of many events as one GraphPipe message."""
    type_ = unquote(_first_value(headers.get("ce-type", "")).strip('"'))
    return type_ == WINDOWS_TYPE and is_tensor(_first_value(headers.get("content-type", "")))


def _binary(headers: Mapping[str, str | list[str]], body: bytes) -> InputEvent:
    attributes = {}
    for name, value in headers.items():
        if name.startswith("ce-"):
            if type(value) is list and len(set(value)) > 1:
                return _rejected(f"the header {clean(name, MAX_SHOWN_CHARACTERS)!r} is sent twice")
            attributes[name[3:]] = unquote(_first_value(value).strip('"'))
    content_types = _first_value(headers.get("content-type", "")), attributes.get("datacontenttype", "")
    if all(content_types) and not are_same(*content_types):
        first, second = (clean(each, MAX_SHOWN_CHARACTERS) for each in content_types)
        reason = f"two content types: content-type is {first!r}, ce-datacontenttype is {second!r}"
        return _event(attributes, UnscorableEvent(reason))
    return _event(
        attributes, _content(next(filter(None, content_types), ""), attributes, body) if body else None
    )


def _structured(document: object, is_event: bool) -> InputEvent:
    """The event in a JSON document. is_event: whether the content type says that the document is an event."""
    if type(document) is not dict or not (is_event or any(name in document for name in REQUIRED)):
        return _rejected("not a CloudEvent: send ce-* headers, or a JSON object with specversion")
    data, encoded = document.get("data"), document.get("data_base64")
    if encoded is None:
        return _event(document, data)
    if data is not None:
        return _event(document, UnscorableEvent("the event has both data and data_base64"))
    try:
        content = base64.b64decode(encoded, validate=True)
    except (TypeError, ValueError) as error:
        return _event(document, UnscorableEvent(f"data_base64 is not a base64 string: {error}"))
    return _event(document, _content(document.get("datacontenttype"), document, content))


def _content(content_type: object, attributes: Mapping[str, Any], content: bytes) -> object:
    """The data of an event from its bytes; an InvalidData if they cannot be read."""
    if is_tensor(content_type):
        try:
            return read_tensor_event(content, attributes)
        except InvalidData as error:
            return error
    try:
        return read_json(content)
    except ValueError as error:
        return UnscorableEvent(f"the event's data is not JSON: {error}")


def _event(attributes: Mapping[str, Any], data: object) -> InputEvent:
    id_, source, subject = attributes.get("id"), attributes.get("source"), attributes.get("subject")
    is_named = type(id_) is str and id_ and type(source) is str and source
    if not is_named or type(subject) not in (str, type(None)):
        return _rejected(_why_unnamed(attributes))
    if missing := _missing(attributes):
        data = UnscorableEvent(missing)
    elif attributes["specversion"] != "1.0":
        data = UnscorableEvent("specversion is not 1.0")
    elif data is None:
        data = UnscorableEvent("the event has no data")
    try:
        return _named(str(id_), str(source), subject, data, attributes.get(ACCEPT))
    except orjson.JSONEncodeError:  # half of a surrogate pair, which JSON can write
        return _rejected("the attribute id, source or subject is not valid Unicode")


def _named(id_: str, source: str, subject: str | None, data: object, accept: object = None) -> InputEvent:
    """The event with this id and source. Raises JSONEncodeError if a name is not valid Unicode."""
    named = {"causationid": id_, "causationsource": source}
    if subject:
        named["subject"] = subject
    members = b"," + orjson.dumps(named)[1:-1]
    return InputEvent(_digest(members), members, data, accept is not None and is_tensor(accept))


def _rejected(reason: str) -> InputEvent:
    """An event without a valid id and source. Its output is matched by position."""
    return InputEvent(_digest(reason.encode()), b"", UnscorableEvent(reason))


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=16).hexdigest().encode()


def _why_unnamed(attributes: Mapping[str, Any]) -> str:
    if missing := _missing(attributes):
        return missing
    name = next(name for name in ("id", "source", "subject") if type(attributes.get(name)) is not str)
    return f"the attribute {name} is not a string"


def _missing(attributes: Mapping[str, Any]) -> str:
    """A text that names the missing attributes, or an empty one."""
    missing = [name for name in REQUIRED if attributes.get(name) in (None, "")]
    if not missing:
        return ""
    attribute = "attribute" if len(missing) == 1 else "attributes"
    return f"the {attribute} {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing or empty"


def _is_batch(document: list[object]) -> bool:
    return bool(document) and type(document[0]) is dict


def _first_value(header: str | list[str]) -> str:
    """A header's value. For a trigger the FDK may pass a list."""
    return header if isinstance(header, str) else next(iter(header), "")
