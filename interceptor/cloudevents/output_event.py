"""Converts an event of an answer into the event to publish: a new id, and the attributes of its input."""

from __future__ import annotations

import base64
from functools import lru_cache
from hashlib import sha1
from uuid import UUID

import msgspec
import orjson

from interceptor.cloudevents.answers import Output, Text, Unset, invalid_answer
from interceptor.cloudevents.content import as_content
from interceptor.cloudevents.event import Event
from interceptor.outcome import Headers, OutputEvent

# The namespace of output ids. It never changes: a replay must give the same ids.
NAMESPACE = UUID("6f9d3a52-2f0b-5c55-9d0e-5d8f6f5ac6ce")
# Each id continues a copy of this hash: a copy is cheaper than a new hash of the namespace.
_namespace_hash = sha1(NAMESPACE.bytes, usedforsecurity=False)
# UUIDs replace two bits of one hexadecimal digit by the variant.
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}

_MAX_CACHED_HEADERS = 1024
_MAX_CACHED_CHARACTERS = 1024  # a longer source is not cached: a record may have one of a megabyte
# Attributes copied from the input, with their headers.
_INHERITED = tuple((name, f"ce_{name}") for name in ("subject", "partitionkey", "traceparent", "tracestate"))


def to_output_event(event: Event, output: Output, route_name: str, index: int) -> OutputEvent:
    """Return the record to publish for `output`, an answer to `event`. index: among the outputs of this event.

    Raises RetriableError if the data is invalid.
    """
    return OutputEvent(output_headers(event, output, route_name, index), _value(output))


def output_headers(event: Event, output: Output, route_name: str, index: int) -> Headers:
    """Return the headers of the record to publish. output: its id may be empty, then there is no `originid`."""
    attributes = event.attributes
    source, id_ = str(attributes["source"]), str(attributes["id"])
    headers: Headers = [
        ("ce_id", output_id(source, id_, route_name, index).encode()),
        ("ce_causationid", id_.encode()),
        *_recurring_of(source, output),
    ]
    if output.id:
        headers.append(("ce_originid", output.id.encode()))
    if output.time:
        headers.append(("ce_time", output.time.encode()))
    for name, header in _INHERITED:
        text = event.text(name)
        if text is None and not (text := getattr(output, name)):
            continue
        headers.append((header, text.encode()))
    for name, text in output.others.items():
        if text:
            headers.append(("ce_" + name, text.encode()))
    return headers


class SharedOutput:
    """An output that answers many events: what the headers of their records have in common is encoded once.

    The output has neither an id nor a time, and leaves the attributes that an event passes on to the event.
    """

    def __init__(self, output: Output, route_name: str) -> None:
        self._output = output
        self._route_name = route_name
        self._recurring: dict[str, tuple[tuple[str, bytes], ...]] = {}  # by source of the input

    def headers(self, event: Event) -> Headers:
        """Return the same headers as `output_headers` for the first output of the event."""
        attributes = event.attributes
        source, id_ = str(attributes["source"]), str(attributes["id"])
        recurring = self._recurring.get(source)
        if recurring is None:
            recurring = self._recurring[source] = _recurring_of(source, self._output)
        headers: Headers = [
            ("ce_id", output_id(source, id_, self._route_name, 0).encode()),
            ("ce_causationid", id_.encode()),
            *recurring,
        ]
        for name, header in _INHERITED:
            if name in attributes:
                headers.append((header, str(event.text(name)).encode()))
        return headers


def _recurring_of(source: str, output: Output) -> tuple[tuple[str, bytes], ...]:
    """Return the headers that do not depend on the single event. source: of the input."""
    has_json = not output.datacontenttype and output.data is not Unset and output.data_base64 is Unset
    is_cached = len(source) <= _MAX_CACHED_CHARACTERS
    return (_recurring_headers if is_cached else _recurring_headers.__wrapped__)(
        source,
        output.source,
        output.type,
        "application/json" if has_json else output.datacontenttype,
        output.dataschema,
        output.modelname,
        output.modelversion,
        output.destination,
    )


@lru_cache(_MAX_CACHED_HEADERS)
def _recurring_headers(
    causation_source: str,
    source: str,
    type_: str,
    content_type: Text,
    schema: Text,
    model_name: Text,
    model_version: str | int | msgspec.UnsetType,
    destination: Text,
) -> tuple[tuple[str, bytes], ...]:
    """Return the headers that are equal for many events, encoded once."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_causationsource": causation_source,
        "ce_source": source,
        "ce_type": type_,
        "content-type": content_type,
        "ce_dataschema": schema,
        "ce_modelname": model_name,
        "ce_modelversion": model_version,
        "ce_destination": destination,
    }
    return tuple(
        (name, str(value).encode()) for name, value in attributes.items() if value not in ("", Unset)
    )


def _value(output: Output) -> bytes | None:
    """Return the record's value. An event without data gets Kafka's null. Raises RetriableError."""
    data = None if output.data is Unset else bytes(output.data)
    if output.data_base64 is not Unset:
        if data not in (None, b"null"):
            raise invalid_answer("an event has both data and data_base64")
        try:
            return base64.b64decode(output.data_base64, validate=True)
        except ValueError as error:
            raise invalid_answer(f"data_base64: {error}") from None
    return as_content(data, output.datacontenttype) if data is not None and output.datacontenttype else data


def output_id(source: str, id_: str, route_name: str, index: int) -> str:
    """Return the UUIDv5 (RFC 9562) of the JSON array of the arguments. Equal arguments give equal ids.

    A JSON array keeps the arguments apart, unlike joined strings.
    """
    hashed = _namespace_hash.copy()
    hashed.update(orjson.dumps((source, id_, route_name, index)))
    digest = hashed.hexdigest()
    return (
        f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{_VARIANTS[digest[16]]}{digest[17:20]}-{digest[20:32]}"
    )
