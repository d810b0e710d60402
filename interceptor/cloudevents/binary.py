"""Binary mode of CloudEvents' Kafka binding: attributes in headers, data in the value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from interceptor.cloudevents.attributes import check_binary, check_name, quoted
from interceptor.cloudevents.content import check_same_type, checked_json, is_json
from interceptor.cloudevents.event import Attribute, Event
from interceptor.errors import InvalidEvent

if TYPE_CHECKING:
    from interceptor.outcome import Headers

# Headers whose values recur from event to event are parsed once (docs/decisions/010-cached-headers.md).
# Headers that differ in every event (id, time, traceparent) would only fill the cache.
_RECURRING = frozenset(
    {
        "content-type",
        "ce_specversion",
        "ce_type",
        "ce_source",
        "ce_subject",
        "ce_destination",
        "ce_partitionkey",
        "ce_modelname",
        "ce_modelversion",
    }
)
_MAX_CACHED_PAIRS = 4096
_MAX_CACHED_BYTES = 1024  # longer values and names are not cached: a record may have some of a megabyte
# By header and value: attribute name, text, JSON member.
_pairs: dict[tuple[str, bytes | None], tuple[str, str, bytes]] = {}
_MAX_CACHED_NAMES = 256
# By header: attribute name, beginning of the JSON member.
_names: dict[str, tuple[str, bytes]] = {}


def read_binary(headers: Headers, value: bytes | None) -> Event:
    """Return the event of a binary-mode record. Raises InvalidEvent."""
    attributes: dict[str, Attribute] = {}
    members = []
    for pair in headers:
        parsed = _pairs.get(pair)
        if parsed is None:
            parsed = _parse_header(pair)
            if parsed is None:
                continue
        name, text, member = parsed
        attributes[name] = text
        members.append(member)
    if len(attributes) < len(members):
        members = _without_repeats(headers)
    if value is None and attributes.keys() <= {"datacontenttype"}:
        raise InvalidEvent("a tombstone: the record has no value, so there is nothing to forecast")
    get = attributes.get
    if not (get("specversion") == "1.0" and get("id") and get("source") and get("type")):
        check_binary(attributes, headers, value)
    content_type = get("datacontenttype")
    if value is None:
        return Event(attributes, None, False, members)
    if content_type is None or is_json(content_type):
        try:
            checked_json(value)
        except ValueError as error:
            if content_type is not None:
                raise InvalidEvent(
                    f"data is not valid JSON, although the content type declares JSON: {error}"
                ) from None
        else:
            return Event(attributes, value, True, members)
    return Event(attributes, value, False, members)


def _parse_header(pair: tuple[str, bytes | None]) -> tuple[str, str, bytes] | None:
    """Return attribute name, text and JSON member of a header. None if it is empty or not an attribute."""
    header, raw = pair
    known = _names.get(header) or _parse_name(header)
    if known is None or not raw:
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidEvent(f"the header {quoted(header)} is not valid UTF-8") from None
    name, member = known
    parsed = (name, text, member + orjson.dumps(text))
    if header in _RECURRING and len(raw) <= _MAX_CACHED_BYTES:
        if len(_pairs) >= _MAX_CACHED_PAIRS:
            _pairs.clear()
        _pairs[pair] = parsed
    return parsed


def _parse_name(header: str) -> tuple[str, bytes] | None:
    if header == "content-type":
        name = "datacontenttype"
    elif header.startswith("ce_"):
        name = header[3:]
        check_name(name)
    else:
        return None
    parsed = (name, b'"%b":' % name.encode())
    if len(header) <= _MAX_CACHED_BYTES:
        if len(_names) >= _MAX_CACHED_NAMES:
            _names.clear()
        _names[header] = parsed
    return parsed


def _without_repeats(headers: Headers) -> list[bytes]:
    """Return each JSON member once.

    A content type may be repeated with the same value, because some SDKs write it into two headers.
    Raises InvalidEvent for any other repeated attribute.
    """
    first: dict[str, tuple[str, str]] = {}
    members = []
    for pair in headers:
        parsed = _parse_header(pair)
        if parsed is None:
            continue
        name, text, member = parsed
        if name not in first:
            first[name] = pair[0], text
            members.append(member)
        elif name != "datacontenttype":
            raise InvalidEvent(f"the attribute {quoted(name)} is present twice")
        else:
            check_same_type(*first[name], pair[0], text)
    return members
