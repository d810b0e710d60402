"""Reads the CloudEvents of a request in binary, structured or batch mode, and the readings in their data.

Protocol: CloudEvents 1.0.2, HTTP binding and JSON format.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import msgspec
import orjson

from fncast.foreign_text import clean
from fncast.media_type import are_same
from fncast.series.rfc3339 import parse_time
from fncast.series.step import Step, format_start
from fncast.series.window import MAX_MAGNITUDE
from fncast.wording.json import words

REQUIRED = ("id", "source", "specversion", "type")
EVENT_TYPE = "application/cloudevents+json"
BATCH_TYPE = "application/cloudevents-batch+json"

Text = Annotated[str, msgspec.Meta(min_length=1)]


class Window(msgspec.Struct, gc=False):
    """Valid data of an event. values: oldest reading first, None for a missing one."""

    values: list[float | None]
    start: str | None = None
    step_s: int | float | None = None
    step: str | None = None
    step_day: int | None = None
    unit: str | None = None
    min: int | float | None = None
    max: int | float | None = None


class _PlainEvent(msgspec.Struct):
    """A valid event, with the members that a forecast needs. msgspec parses and checks it in one pass."""

    id: Text
    source: Text
    specversion: Literal["1.0"]
    type: Text
    data: Window
    subject: str | None = None
    data_base64: None = None


_plain_batch = msgspec.json.Decoder(list[_PlainEvent])

# In these units 0 is only a point of the scale: a series that was above 0 may fall below it.
UNITS_BELOW_ZERO = frozenset(("°C", "°F", "℃", "℉", "C", "F", "Cel", "degC", "degF", "dB", "dBm", "dBFS"))

# How many starts and steps of recent events are cached in parsed form.
_STARTS = 4096
_STEPS = 256
MAX_NAME = 64  # characters of a header's name or value in a reason


class InvalidEvent(ValueError):
    """An event cannot be scored. The text says which part of it is wrong."""


# Not frozen: one is created for every event, and frozen dataclasses are slow to create.
@dataclass(slots=True)
class Event:
    """The parts of an input event that its output needs.

    digest: 32 hexadecimal digits, the same for the same source, id and subject.
    members: `,"causationid":…,"causationsource":…[,"subject":…]` as JSON, or empty if the event has no id or source.
    data: a Window, other parsed JSON data, or an InvalidEvent if the event is wrong.
    """

    digest: bytes
    members: bytes
    data: object


@dataclass(slots=True)
class Readings:
    """The readings of one event.

    values: as the event has them, not checked yet.
    place: start and step of the forecast as JSON, `"start":…,"step_s":…,`; empty if the event has no times.
    unit: `,"unit":…` as JSON, or empty.
    low, high: limits of the forecast, or None if the event has none.
    """

    values: Any
    place: bytes = b""
    unit: bytes = b""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The events of a request, in their order.

    is_batch: whether the answer must be a batch. is_plain: whether the data of all events are Windows.
    """

    events: list[Event]
    is_batch: bool
    is_plain: bool = False


def read_request(headers: Mapping[str, str | list[str]], body: bytes) -> Request:
    """The events of a request. headers: names in lower case, as the FDK passes them.

    A body without `ce-*` headers is read whatever its content type is, because `fn invoke` posts text/plain.
    Raises nothing: an event that is wrong has an InvalidEvent as its data.
    """
    content_type = _one(headers.get("content-type", "")).partition(";")[0].strip().lower()
    if "ce-specversion" in headers and not content_type.startswith("application/cloudevents"):
        return Request([_binary(headers, body)], False)
    if content_type == BATCH_TYPE:
        try:
            if not body.isascii():
                body.decode("utf-8")  # the decoder does not check members that it skips
            plain = _plain_batch.decode(body)
            return Request(
                [_named(event.id, event.source, event.subject, event.data) for event in plain], True, True
            )
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # read event by event below, so that each gets its own reason
    try:
        document = read_json(body)
    except ValueError as error:
        return Request([_refused(f"the body is not JSON: {error}")], content_type == BATCH_TYPE)
    if isinstance(document, list) and (content_type == BATCH_TYPE or _is_batch(document)):
        return Request([_structured(member, True) for member in document], True)
    if content_type == BATCH_TYPE:
        return Request([_refused("the body is not a JSON array of events")], True)
    return Request([_structured(document, content_type == EVENT_TYPE)], False)


def read_json(body: bytes) -> Any:
    """The JSON value in `body`. Raises ValueError.

    NaN and numbers beyond float64 are accepted, as NaN and infinities, so that only their event is rejected.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        reason = words(error)
    try:
        return json.loads(body.decode("utf-8"), parse_int=float)
    except (ValueError, RecursionError):
        raise ValueError(reason) from None


def read_readings(data: object) -> Readings:
    """The window in an event's data: an object, or a bare array of numbers. Raises InvalidEvent."""
    if type(data) is Window:
        place = _following(data.start, data.step_s, data.step, data.step_day, len(data.values))
        member = b"" if data.unit is None else b',"unit":' + orjson.dumps(data.unit)
        return Readings(data.values, place, member, *_limits(data.min, data.max, data.unit))
    if type(data) is list:
        return Readings(data)
    if type(data) is InvalidEvent:
        raise data
    if type(data) is str and _holds_json(data):
        raise InvalidEvent("data is a string that holds JSON: send the JSON itself, not as a string")
    if type(data) is not dict:
        raise InvalidEvent(
            'data must be an object with "start", "step_s" and "values", or an array of numbers'
        )
    values = data.get("values")
    if type(values) is not list:
        raise InvalidEvent("values are missing" if values is None else "values is not an array of numbers")
    place = _place(data, len(values))
    unit = data.get("unit")
    if unit is not None and type(unit) is not str:
        raise InvalidEvent("unit is not a string")
    limits = _limits(data.get("min"), data.get("max"), unit)
    try:
        return Readings(values, place, b"" if unit is None else b',"unit":' + orjson.dumps(unit), *limits)
    except orjson.JSONEncodeError:
        raise InvalidEvent("unit is not valid Unicode") from None


def _limits(low: object, high: object, unit: str | None) -> tuple[float | None, float | None]:
    """The limits that an event sets by `min` and `max`, or by its unit. Raises InvalidEvent."""
    if low is None and high is None and unit not in UNITS_BELOW_ZERO:
        return None, None
    lowest, highest = _limit("min", low), _limit("max", high)
    if lowest is None and unit in UNITS_BELOW_ZERO:
        lowest = -math.inf
    if lowest is not None and highest is not None and lowest > highest:
        raise InvalidEvent("min is above max")
    return lowest, highest


def _limit(name: str, limit: object) -> float | None:
    if limit is None:
        return None
    if type(limit) not in (int, float) or not abs(limit) <= MAX_MAGNITUDE:  # type: ignore[arg-type]
        raise InvalidEvent(f"{name} must be a number within ±{MAX_MAGNITUDE:g}")
    return float(limit)  # type: ignore[arg-type]


def _place(data: Mapping[str, Any], steps: int) -> bytes:
    """The output's members start and step: `steps` steps after the start in `data`. Raises InvalidEvent."""
    members = data.get("start"), data.get("step_s"), data.get("step"), data.get("step_day"), steps
    try:
        return _following(*members)
    except TypeError:  # an array or object cannot be a key of the cache
        return _following.__wrapped__(*members)


@lru_cache(_STARTS, typed=True)
def _following(start: object, step_s: object, step: object, step_day: object, steps: int) -> bytes:
    """As `_place`. Cached because series of one source share their start. Raises InvalidEvent."""
    try:
        read = _step(step_s, step, step_day)
    except TypeError:
        read = _step.__wrapped__(step_s, step, step_day)
    try:
        first = parse_time(start)
        anchored = read.anchored(first)
        following = anchored.after(first, steps)
        text = format_start(following, anchored)
    except ValueError as error:
        raise InvalidEvent("start is missing" if start is None else f"start: {error}") from None
    # A step in seconds keeps the form of the event: `step` or `step_s`.
    members = anchored.as_json(following) if step is None or read.months else {"step": str(read)}
    return b'"start":"%b",%b,' % (text.encode(), orjson.dumps(members)[1:-1])


@lru_cache(_STEPS, typed=True)
def _step(step_s: object, step: object, step_day: object) -> Step:
    """Raises InvalidEvent."""
    try:
        return Step.of({"step_s": step_s, "step": step, "step_day": step_day})
    except ValueError as error:
        raise InvalidEvent(str(error)) from None


def _binary(headers: Mapping[str, str | list[str]], body: bytes) -> Event:
    attributes = {}
    for name, value in headers.items():
        if name.startswith("ce-"):
            if type(value) is list and len(set(value)) > 1:
                return _refused(f"the header {clean(name, MAX_NAME)!r} is sent twice")
            attributes[name[3:]] = unquote(_one(value).strip('"'))
    content_types = _one(headers.get("content-type", "")), attributes.get("datacontenttype", "")
    if all(content_types) and not are_same(*content_types):
        first, second = (clean(each, MAX_NAME) for each in content_types)
        reason = f"two content types: content-type is {first!r}, ce-datacontenttype is {second!r}"
        return _event(attributes, InvalidEvent(reason))
    return _event(attributes, _parsed(body) if body else None)


def _structured(document: object, is_event: bool) -> Event:
    """The event in a JSON document. is_event: whether the content type says that the document is an event."""
    if type(document) is not dict or not (is_event or any(name in document for name in REQUIRED)):
        return _refused("not a CloudEvent: send ce-* headers, or a JSON object with specversion")
    data, encoded = document.get("data"), document.get("data_base64")
    if encoded is None:
        return _event(document, data)
    if data is not None:
        return _event(document, InvalidEvent("the event has both data and data_base64"))
    try:
        content = base64.b64decode(encoded, validate=True)
    except (TypeError, ValueError) as error:
        return _event(document, InvalidEvent(f"data_base64 is not a base64 string: {error}"))
    return _event(document, _parsed(content))


def _parsed(content: bytes) -> object:
    """The data, or an InvalidEvent."""
    try:
        return read_json(content)
    except ValueError as error:
        return InvalidEvent(f"the event's data is not JSON: {error}")


def _holds_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _event(attributes: Mapping[str, Any], data: object) -> Event:
    id_, source, subject = attributes.get("id"), attributes.get("source"), attributes.get("subject")
    is_named = type(id_) is str and id_ and type(source) is str and source
    if not is_named or type(subject) not in (str, type(None)):
        return _refused(_why_unnamed(attributes))
    if missing := _missing(attributes):
        data = InvalidEvent(missing)
    elif attributes["specversion"] != "1.0":
        data = InvalidEvent("specversion is not 1.0")
    elif data is None:
        data = InvalidEvent("the event has no data")
    try:
        return _named(str(id_), str(source), subject, data)
    except orjson.JSONEncodeError:  # half of a surrogate pair, which JSON can write
        return _refused("the attribute id, source or subject is not valid Unicode")


def _named(id_: str, source: str, subject: str | None, data: object) -> Event:
    """An event with id and source. Raises JSONEncodeError if a name is not valid Unicode."""
    named = {"causationid": id_, "causationsource": source}
    if subject:
        named["subject"] = subject
    members = b"," + orjson.dumps(named)[1:-1]
    return Event(_digest(members), members, data)


def _refused(reason: str) -> Event:
    """An event without a valid id and source. Its output is matched by position."""
    return Event(_digest(reason.encode()), b"", InvalidEvent(reason))


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


def _one(header: str | list[str]) -> str:
    """A header's value. For a trigger the FDK may pass a list."""
    return header if isinstance(header, str) else next(iter(header), "")
