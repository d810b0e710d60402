"""Structured mode of CloudEvents' Kafka binding: the whole event in the value, in the JSON format."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import msgspec
import orjson

from fncast.wording.json import describe
from interceptor.cloudevents.attributes import check_name, check_required, quoted
from interceptor.cloudevents.content import check_same_type
from interceptor.cloudevents.event import Attribute, Event
from interceptor.errors import InvalidEvent

if TYPE_CHECKING:
    from interceptor.outcome import Headers

PREFIX = b"application/cloudevents"  # of the content types that announce structured mode
MIN_INTEGER, MAX_INTEGER = -(2**31), 2**31 - 1  # CloudEvents' type Integer
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_structured(headers: Headers, content_type: bytes, value: bytes | None) -> Event:
    """Return the event of a structured-mode record. Raises InvalidEvent."""
    text = content_type.decode("utf-8", "replace")
    for name, content in headers:
        if name == "content-type" and content:
            check_same_type(name, text, name, content.decode("utf-8", "replace"))
    if value is None:
        raise InvalidEvent(
            "a tombstone: the record has no value, although its content type announces a structured event"
        )
    if content_type[len(PREFIX) :].lower().startswith(b"-batch"):
        raise InvalidEvent(
            "a batch of CloudEvents in one record: Kafka has no batch mode, publish each event as a record"
        )
    kind = content_type.partition(b";")[0].strip().lower()
    if kind not in (b"application/cloudevents", b"application/cloudevents+json"):
        raise InvalidEvent(
            f"structured mode in the format {quoted(kind.decode('latin-1'))} is not supported: use +json"
        )
    try:
        value.decode("utf-8")
        raw_members = _MEMBERS.decode(value)
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        raise InvalidEvent(f"the structured event is not a valid JSON object: {describe(error)}") from None
    data, data_base64 = raw_members.pop("data", None), raw_members.pop("data_base64", None)
    attributes: dict[str, Attribute] = {}
    members = []
    for name, raw in raw_members.items():
        attribute = _attribute(name, raw)
        if attribute is None or attribute == "":
            continue
        check_name(name)
        attributes[name] = attribute
        members.append(b'"%b":%b' % (name.encode(), orjson.dumps(attribute)))
    check_required(attributes)
    if data_base64 is not None and bytes(data_base64) != b"null":
        if data is not None and bytes(data) != b"null":
            raise InvalidEvent("the event has both data and data_base64: send one of them")
        return Event(attributes, _decode_base64(data_base64), False, members)
    return Event(attributes, None if data is None else bytes(data), True, members)


def _attribute(name: str, raw: msgspec.Raw) -> Attribute | None:
    """Return the value of an attribute. The decoder checked only the syntax: a number may be out of range."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        value = raw
    if type(value) is int and not MIN_INTEGER <= value <= MAX_INTEGER:
        raise InvalidEvent(f"the attribute {quoted(name)} does not fit into a 32-bit integer")
    if value is None or isinstance(value, str | int):  # bool too
        return value
    raise InvalidEvent(f"the attribute {quoted(name)} is neither a string, an integer nor a boolean")


def _decode_base64(raw: msgspec.Raw) -> bytes:
    try:
        return base64.b64decode(msgspec.json.decode(raw, type=str), validate=True)
    except (msgspec.MsgspecError, ValueError) as error:
        raise InvalidEvent(f"data_base64 is not valid base64: {error}") from None
