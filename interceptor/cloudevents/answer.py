"""What a function answered, matched to what it was asked; pure. The contract is in docs/functions.md.

Each output names its input in `causationid` and `causationsource`. Where these are absent or ambiguous, exactly one
output an input is matched by position. Anything else is garbage, and may be better the next time.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha1
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import orjson

from fncast.foreign_text import clean
from interceptor.cloudevents.event import as_content
from interceptor.delivery import Delivery
from interceptor.errors import RetriableError
from interceptor.outcome import DeadLetter, Forecast, Headers, Outcome, OutputEvent, Skipped
from interceptor.routes.backoff import MAX_RETRY_AFTER_S
from interceptor.routes.redaction import redacted

NONE_TYPE = "io.fncast.none.v1"
REJECTED_TYPE = "io.fncast.rejected.v1"
UNAVAILABLE_TYPE = "io.fncast.unavailable.v1"
UNAVAILABLE_REASON = "the function is unavailable"
SETTLING_TYPES = frozenset({NONE_TYPE, REJECTED_TYPE, UNAVAILABLE_TYPE})

# The name space of output ids: a UUIDv5 of the project's own URL-less name, fixed for ever.
NAMESPACE = UUID("6f9d3a52-2f0b-5c55-9d0e-5d8f6f5ac6ce")
# Continued from a copy: to make a hash anew takes as long as all else of an id.
_hash = sha1(NAMESPACE.bytes, usedforsecurity=False)

# The two bits of the variant, in the digit that holds them.
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}

_REASON_CHARACTERS = 1024  # of a reason that a function gave; the dead letter's header holds no more
_NAME_CHARACTERS = 64  # of an id, in a reason
_CACHE_SOURCES = 1024
_CARRIED = tuple((name, f"ce_{name}") for name in ("subject", "partitionkey", "traceparent", "tracestate"))

Unset = msgspec.UNSET
Text = str | msgspec.UnsetType
Required = Annotated[str, msgspec.Meta(min_length=1)]


class Output(msgspec.Struct, forbid_unknown_fields=True):
    """An output event with the attributes of a forecast: decoded in one pass, its data left as bytes."""

    id: Required
    source: Required
    specversion: Literal["1.0"]
    type: Required
    causationid: Text = Unset
    causationsource: Text = Unset
    subject: Text = Unset
    time: Text = Unset
    datacontenttype: Text = Unset
    dataschema: Text = Unset
    modelname: Text = Unset
    modelversion: str | int | msgspec.UnsetType = Unset
    destination: Text = Unset
    partitionkey: Text = Unset
    traceparent: Text = Unset
    tracestate: Text = Unset
    data: msgspec.Raw | msgspec.UnsetType = Unset
    data_base64: Text = Unset
    others: dict[str, str] = msgspec.field(name="_", default_factory=dict)  # no attribute can have this name


_FIELDS = frozenset(Output.__struct_encode_fields__) - {"_"}
_NAME = re.compile(r"[a-z0-9]+")
_outputs = msgspec.json.Decoder(list[Output])
_any_outputs = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


def decode(body: bytes) -> list[Output]:
    """The events of a batch answer (`application/cloudevents-batch+json`). Raises RetriableError for garbage."""
    try:
        if not body.isascii():
            body.decode("utf-8")
        try:
            return _outputs.decode(body)
        except msgspec.ValidationError:  # attributes that forecasts do not have, or nulls: read slowly
            return [_with_others(event) for event in _any_outputs.decode(body)]
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        raise RetriableError(f"garbage for an answer: {error}") from None


def decode_single(body: bytes) -> list[Output]:
    """The one event of a structured answer. Raises RetriableError for garbage."""
    return decode(b"[%b]" % body)


def _with_others(event: dict[str, msgspec.Raw]) -> Output:
    # A null attribute is an unset one (CloudEvents' JSON format 2.2); null data are data unless there is data_base64.
    event = {name: raw for name, raw in event.items() if name == "data" or bytes(raw) != b"null"}
    known = {name: raw for name, raw in event.items() if name in _FIELDS}
    output = msgspec.json.decode(_object(known), type=Output)
    output.others = {
        name: _attribute_text(name, msgspec.json.decode(raw))
        for name, raw in event.items()
        if name not in _FIELDS and name != "originid"  # which is ours to set
    }
    return output


def _object(members: dict[str, msgspec.Raw]) -> bytes:
    return b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), raw) for name, raw in members.items())


def _attribute_text(name: str, value: Any) -> str:
    if not _NAME.fullmatch(name):
        raise msgspec.ValidationError(f"{_shown(name)} is no name of an attribute")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int):
        return str(value)
    raise msgspec.ValidationError(
        f"the attribute {_shown(name)} is neither a string, an integer nor a boolean"
    )


def match(deliveries: Sequence[Delivery], outputs: Sequence[Output]) -> list[list[Output]]:
    """The outputs of each delivery, in order. Raises RetriableError where they cannot be told apart."""
    if len(outputs) == len(deliveries):
        for delivery, output in zip(deliveries, outputs, strict=True):
            attributes = delivery.opened.attributes
            if output.causationid != attributes["id"] or output.causationsource != attributes["source"]:
                break
        else:
            return [[output] for output in outputs]
    return _by_name(deliveries, outputs)


def _by_name(deliveries: Sequence[Delivery], outputs: Sequence[Output]) -> list[list[Output]]:
    positions = {
        (delivery.opened.attributes["source"], delivery.opened.attributes["id"]): position
        for position, delivery in enumerate(deliveries)
    }
    named = all(output.causationid and output.causationsource for output in outputs)
    if not named or len(positions) < len(deliveries):
        if len(outputs) != len(deliveries):
            raise RetriableError(
                f"{len(outputs)} events for {len(deliveries)}, and their causationid and causationsource"
                " do not tell which is whose"
            )
        return [[output] for output in outputs]
    matched: list[list[Output]] = [[] for _ in deliveries]
    last = -1
    for output in outputs:
        position = positions.get((output.causationsource, output.causationid))  # type: ignore[arg-type]
        if position is None:
            raise RetriableError(
                f"an event whose causationid {_shown(output.causationid)} names none that was sent"
            )
        if position != last and matched[position]:
            raise RetriableError(f"the events for {_shown(output.causationid)} do not stand together")
        matched[position].append(output)
        last = position
    silent = next((d for d, own in zip(deliveries, matched, strict=True) if not own), None)
    if silent is not None:
        raise RetriableError(f"no answer for the event {_shown(silent.opened.attributes['id'])}")
    return matched


def _shown(id_: object) -> str:
    return repr(clean(str(id_), _NAME_CHARACTERS))


def outcome(delivery: Delivery, outputs: Sequence[Output]) -> Outcome:
    """How the delivery ends, from its own outputs. Raises RetriableError: unavailable, or a contradiction."""
    if outputs[0].type in SETTLING_TYPES:
        if len(outputs) > 1:
            raise RetriableError(f"{outputs[0].type} beside other events for the same input")
        return _settled(outputs[0], delivery)
    if len(outputs) > 1 and any(output.type in SETTLING_TYPES for output in outputs):
        raise RetriableError("a rejection beside other events for the same input")
    assert delivery.route is not None
    name = delivery.route.name
    return Forecast([output_event(delivery, output, name, index) for index, output in enumerate(outputs)])


def _settled(output: Output, delivery: Delivery) -> Outcome:
    if output.type == NONE_TYPE:
        return Skipped("no event to publish")
    data = _data_object(output)
    assert delivery.route is not None
    told = redacted(str(data.get("reason") or "the function gave no reason"), delivery.route)
    reason = clean(told, _REASON_CHARACTERS)
    if output.type == REJECTED_TYPE:
        return DeadLetter(reason, attempts=delivery.attempts + 1, kind="refused_by_function")
    after = data.get("retry_after_s")
    # The function answers, so it is not out itself: the live page tells the two apart by these words.
    unavailable = f"{UNAVAILABLE_REASON}: {reason}"
    if isinstance(after, int | float) and 0 <= after <= MAX_RETRY_AFTER_S:
        raise RetriableError(unavailable, float(after))
    raise RetriableError(unavailable)


def _data_object(output: Output) -> dict[str, Any]:
    """The data, which was checked for syntax only: a number in it may be out of any range."""
    try:
        data = msgspec.json.decode(output.data) if output.data is not Unset else None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RetriableError(f"garbage for an answer: the data of {output.type}: {error}") from None
    return data if isinstance(data, dict) else {}


def output_event(delivery: Delivery, output: Output, route: str, index: int) -> OutputEvent:
    """The record to publish: the function's event under an id of ours, with what is carried over from its input."""
    attributes = delivery.opened.attributes
    source, id_ = str(attributes["source"]), str(attributes["id"])
    headers: Headers = [
        ("ce_id", output_id(source, id_, route, index).encode()),
        ("ce_causationid", id_.encode()),
        ("ce_originid", output.id.encode()),
        *_recurring(
            source,
            output.source,
            output.type,
            "application/json"
            if not output.datacontenttype and output.data is not Unset
            else output.datacontenttype,
            output.dataschema,
            output.modelname,
            output.modelversion,
            output.destination,
        ),
    ]
    if output.time:
        headers.append(("ce_time", output.time.encode()))
    for name, header in _CARRIED:
        carried = attributes.get(name)
        if carried is None and not (carried := getattr(output, name)):
            continue
        headers.append((header, str(carried).encode()))
    for name, text in output.others.items():
        if text:
            headers.append(("ce_" + name, text.encode()))
    return OutputEvent(headers, _value(output))


@lru_cache(_CACHE_SOURCES)
def _recurring(
    causation_source: str,
    source: str,
    type_: str,
    content_type: Text,
    schema: Text,
    model_name: Text,
    model_version: str | int | msgspec.UnsetType,
    destination: Text,
) -> tuple[tuple[str, bytes], ...]:
    """The headers that are the same for event after event, made once."""
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
    """The record's value; None, which is Kafka's null, for an event without data."""
    data = None if output.data is Unset else bytes(output.data)
    if output.data_base64 is not Unset:
        if data not in (None, b"null"):
            raise RetriableError("garbage for an answer: an event has both data and data_base64")
        try:
            return base64.b64decode(output.data_base64, validate=True)
        except ValueError as error:
            raise RetriableError(f"garbage for an answer: data_base64: {error}") from None
    return as_content(data, output.datacontenttype) if data is not None and output.datacontenttype else data


def output_id(source: str, id_: str, route: str, index: int) -> str:
    """UUIDv5 (RFC 9562) over the JSON array of its parts, so that no two lists of parts read the same."""
    hashed = _hash.copy()
    hashed.update(orjson.dumps((source, id_, route, index)))
    digest = hashed.hexdigest()
    return (
        f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{_VARIANTS[digest[16]]}{digest[17:20]}-{digest[20:32]}"
    )
