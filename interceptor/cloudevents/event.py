"""A view over a Kafka record as a CloudEvent 1.0: attributes read once, data kept as bytes.

Protocols: CloudEvents 1.0.2, its Kafka binding (binary and structured mode) and its JSON format.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, cast

import msgspec
import orjson

from fncast.foreign_text import clean
from interceptor.errors import InvalidEvent

if TYPE_CHECKING:
    from interceptor.outcome import Headers

Attribute = str | int | bool

MIN_INTEGER, MAX_INTEGER = -(2**31), 2**31 - 1  # of CloudEvents' type system
REQUIRED = ("id", "source", "specversion", "type")
STRUCTURED = b"application/cloudevents"  # the prefix of the content type that announces structured mode
_SHOWN_CHARACTERS = 64  # of a sender's name or value, in a reason
_NAME = re.compile(r"[a-z0-9]+")
_JSON_TYPE = re.compile(r"[^/;]+/(?:[^;]*\+)?json\s*(?:;|$)", re.IGNORECASE)
# Names of headers that were meant as attributes, as other protocols, old versions or other writings have them.
_MISNAMED = re.compile(r"(?:ce[-_:.]|cloudevents?[-_:.])([a-z0-9]+)", re.IGNORECASE)
_RAW = msgspec.json.Decoder(msgspec.Raw)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])

# Headers whose pairs recur from event to event are parsed once: 9.8 → 6.5 µs an event (docs/architecture.md).
# Those that differ in every event (id, time, traceparent) would only fill the cache.
_RECURRING = frozenset(
    {
        "content-type",
        "ce_specversion",
        "ce_type",
        "ce_source",
        "ce_subject",
        "ce_destination",
        "ce_partitionkey",
    }
)
_CACHE_PAIRS = 4096
_cache: dict[tuple[str, bytes | None], tuple[str, str, bytes]] = {}
# Of a header: its attribute's name and the beginning of its JSON member.
_CACHE_NAMES = 256
_names: dict[str, tuple[str, bytes]] = {}


class Event(msgspec.Struct, eq=False):
    """One CloudEvent.

    attributes: by name; text in binary mode, also int and bool in structured mode. `data` is not among them.
    data: one complete, valid JSON value as bytes where `is_json`, else the bytes as they came; None without data.
    """

    attributes: dict[str, Attribute]
    data: bytes | None
    is_json: bool
    _members: list[bytes]

    def text(self, name: str) -> str | None:
        """An attribute as text, or None."""
        value = self.attributes.get(name)
        return value if value is None or type(value) is str else _text(value)

    def to_json(self) -> bytes:
        """The event in the JSON format (structured mode). `data` is spliced in: it was checked when it was read."""
        members = b",".join(self._members)
        if self.data is None:
            return b"{%b}" % members
        if self.is_json:
            return b'{%b,"data":%b}' % (members, self.data)
        return b'{%b,"data_base64":"%b"}' % (members, base64.b64encode(self.data))


def read_event(headers: Headers, value: bytes | None) -> Event:
    """The event of a record. Raises InvalidEvent that says what is wrong with it.

    A record without a value is an event without data where its headers are an event's (Kafka binding, 3.2.2).
    Null and empty attributes are absent.
    """
    for name, content in headers:
        if name == "content-type" and content:
            if content[: len(STRUCTURED)].lower() == STRUCTURED:
                return _structured(headers, content, value)
            break
    return _binary(headers, value)


def _binary(headers: Headers, value: bytes | None) -> Event:
    attributes: dict[str, Attribute] = {}
    members = []
    for pair in headers:
        known = _cache.get(pair)
        if known is None:
            known = _read_header(pair)
            if known is None:
                continue
        name, text, member = known
        attributes[name] = text
        members.append(member)
    if len(attributes) < len(members):
        members = _without_repeats(headers)
    if value is None and attributes.keys() <= {"datacontenttype"}:
        raise InvalidEvent("a tombstone: the record has no value, so there is nothing to forecast")
    has = attributes.get
    if not (has("specversion") == "1.0" and has("id") and has("source") and has("type")):
        _check_binary(attributes, headers, value)
    content_type = attributes.get("datacontenttype")
    if value is None:
        return Event(attributes, None, False, members)
    if content_type is None or _is_json(content_type):
        try:
            checked_json(value)
        except ValueError as error:
            if content_type is not None:
                raise InvalidEvent(
                    f"data is not valid JSON, though its content type says so: {error}"
                ) from None
        else:
            return Event(attributes, value, True, members)
    return Event(attributes, value, False, members)


def _read_header(pair: tuple[str, bytes | None]) -> tuple[str, str, bytes] | None:
    """A header's attribute name, its text and its JSON member; None for a header that is no attribute or empty."""
    header, raw = pair
    known = _names.get(header) or _name(header)
    if known is None or not raw:
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidEvent(f"the header {_shown(header)} is not valid UTF-8") from None
    name, member = known
    read = (name, text, member + orjson.dumps(text))
    if header in _RECURRING:
        if len(_cache) >= _CACHE_PAIRS:
            _cache.clear()
        _cache[pair] = read
    return read


def _name(header: str) -> tuple[str, bytes] | None:
    if header == "content-type":
        name = "datacontenttype"
    elif header.startswith("ce_"):
        name = header[3:]
        _check_name(name)
    else:
        return None
    if len(_names) >= _CACHE_NAMES:
        _names.clear()
    known = _names[header] = (name, b'"%b":' % name.encode())
    return known


def _without_repeats(headers: Headers) -> list[bytes]:
    """The members, once each. A content type may be repeated, as SDKs write it in two headers; raises InvalidEvent
    where its values differ, or anything else is repeated."""
    first: dict[str, tuple[str, str]] = {}
    members = []
    for pair in headers:
        known = _read_header(pair)
        if known is None:
            continue
        name, text, member = known
        if name not in first:
            first[name] = pair[0], text
            members.append(member)
        elif name != "datacontenttype":
            raise InvalidEvent(f"the attribute {_shown(name)} is there twice")
        else:
            _check_same_type(*first[name], pair[0], text)
    return members


def _check_same_type(header: str, text: str, other_header: str, other_text: str) -> None:
    """Media types have no case, and spaces in them no meaning. Raises InvalidEvent."""
    if re.sub(r"\s", "", text).lower() != re.sub(r"\s", "", other_text).lower():
        raise InvalidEvent(
            f"two content types: the header {header!r} is {_shown(text)}, the header {other_header!r} is"
            f" {_shown(other_text)}; send one, or the same in both"
        )


def _structured(headers: Headers, content_type: bytes, value: bytes | None) -> Event:
    text = content_type.decode("utf-8", "replace")
    for name, content in headers:
        if name == "content-type" and content:
            _check_same_type(name, text, name, content.decode("utf-8", "replace"))
    if value is None:
        raise InvalidEvent(
            "a tombstone: the record has no value, though its content type announces a structured event"
        )
    if content_type[len(STRUCTURED) :].lower().startswith(b"-batch"):
        raise InvalidEvent(
            "a batch of CloudEvents in one record: Kafka has no batch mode, publish each by itself"
        )
    kind = content_type.partition(b";")[0].strip().lower()
    if kind not in (b"application/cloudevents", b"application/cloudevents+json"):
        raise InvalidEvent(
            f"structured mode in the format {_shown(kind.decode('latin-1'))}: only +json is understood"
        )
    try:
        value.decode("utf-8")
        raw_members = _MEMBERS.decode(value)
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        raise InvalidEvent(f"the structured event is not a valid JSON object: {error}") from None
    data, data_base64 = raw_members.pop("data", None), raw_members.pop("data_base64", None)
    attributes: dict[str, Attribute] = {}
    members = []
    for name, raw in raw_members.items():
        attribute = _attribute(name, raw)
        if attribute is None or attribute == "":
            continue
        _check_name(name)
        attributes[name] = attribute
        members.append(b'"%b":%b' % (name.encode(), orjson.dumps(attribute)))
    _check(attributes)
    if data_base64 is not None and bytes(data_base64) != b"null":
        if data is not None and bytes(data) != b"null":
            raise InvalidEvent("the event has both data and data_base64")
        return Event(attributes, _unbase64(data_base64), False, members)
    return Event(attributes, None if data is None else bytes(data), True, members)


def _attribute(name: str, raw: msgspec.Raw) -> Attribute | None:
    """The value of an attribute. Raw bytes were checked for syntax only: numbers may still be out of any range."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        value = raw
    if type(value) is int and not MIN_INTEGER <= value <= MAX_INTEGER:
        raise InvalidEvent(f"the attribute {_shown(name)} is beyond CloudEvents' integers of 32 bits")
    if value is None or type(value) in (str, int, bool):
        return cast("Attribute | None", value)
    raise InvalidEvent(f"the attribute {_shown(name)} is neither a string, an integer nor a boolean")


def _unbase64(raw: msgspec.Raw) -> bytes:
    try:
        return base64.b64decode(msgspec.json.decode(raw, type=str), validate=True)
    except (msgspec.MsgspecError, ValueError) as error:
        raise InvalidEvent(f"data_base64 is not base64 text: {error}") from None


def checked_json(value: bytes) -> bytes:
    """`value`, if it is one complete JSON value in valid UTF-8. Raises ValueError.

    Only such bytes may be spliced into a batch: `[1]},{"id":"evil"` would be a second, forged event.
    """
    try:
        if not value.isascii():
            value.decode("utf-8")
        _RAW.decode(value)
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return value


def as_content(data: bytes, content_type: str | None) -> bytes:
    """A JSON value of the JSON format as the content that its event declares: where that is no JSON, a string is the
    text itself (CloudEvents' JSON format, 3.1)."""
    if content_type is None or _is_json(content_type) or not data.startswith(b'"'):
        return data
    try:
        return msgspec.json.decode(data, type=str).encode()
    except msgspec.MsgspecError:  # half of a surrogate pair, which no text has
        return data


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name == "data":
        raise InvalidEvent(
            f"{_shown(name)} is no name of an attribute: lower-case letters and digits are, `data` is not"
        )


def _check(attributes: dict[str, Attribute], hint: str = "") -> None:
    """hint: what may be wrong where attributes are missing. Raises InvalidEvent."""
    missing = [repr(name) for name in REQUIRED if name not in attributes]
    if len(missing) == 1:
        raise InvalidEvent(f"no CloudEvent: the attribute {missing[0]} is missing or empty{hint}")
    if missing:
        raise InvalidEvent(f"no CloudEvent: the attributes {', '.join(missing)} are missing or empty{hint}")
    for name in REQUIRED:
        if type(attributes[name]) is not str:
            raise InvalidEvent(f"no CloudEvent: the attribute {name!r} is not a string")
    version = str(attributes["specversion"])
    if version != "1.0":
        raise InvalidEvent(f"CloudEvents {_shown(version)} is not understood, only 1.0")


def _check_binary(attributes: dict[str, Attribute], headers: Headers, value: bytes | None) -> None:
    """Raises InvalidEvent."""
    hint = _hint(headers, value)
    if not any(name in attributes for name in REQUIRED):
        raise InvalidEvent(
            "no CloudEvent: neither ce_ headers nor a content type application/cloudevents+json" + hint
        )
    _check(attributes, hint)


def _hint(headers: Headers, value: bytes | None) -> str:
    """What a sender who sent no complete event may have meant, to be read behind the reason; or nothing."""
    for name, _ in headers:
        if name != "content-type" and re.sub("[-_. ]", "", name).lower() == "contenttype":
            return _did_you_mean(name, "content-type")
        if not name.startswith("ce_") and (misnamed := _MISNAMED.fullmatch(name)):
            return _did_you_mean(name, f"ce_{misnamed[1].lower()}")
    if value is not None and value.lstrip().startswith(b"{") and b'"specversion"' in value:
        return (
            "; the value looks like a structured event: send it with the header"
            " 'content-type' application/cloudevents+json"
        )
    return ""


def _did_you_mean(name: str, meant: str) -> str:
    return f"; the header {_shown(name)} is not read, did you mean {meant!r}?"


def _shown(text: str) -> str:
    return repr(clean(text, _SHOWN_CHARACTERS))


def _is_json(content_type: Attribute) -> bool:
    return content_type == "application/json" or bool(_JSON_TYPE.match(str(content_type)))


def _text(value: Any) -> str:
    """An attribute in CloudEvents' canonical text form."""
    return str(value).lower() if isinstance(value, bool) else str(value)
