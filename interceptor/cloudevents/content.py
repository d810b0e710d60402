"""Data and its content type: JSON or not, valid or not."""

from __future__ import annotations

import re

import msgspec

from interceptor.cloudevents.attributes import quoted
from interceptor.cloudevents.event import Attribute
from interceptor.errors import InvalidEvent

_JSON_TYPE = re.compile(r"[^/;]+/(?:[^;]*\+)?json\s*(?:;|$)", re.IGNORECASE)
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*)')
_UTF_8 = frozenset({("charset", "utf-8"), ("charset", "utf8")})
_RAW = msgspec.json.Decoder(msgspec.Raw)


def is_json(content_type: Attribute) -> bool:
    """Whether the content type declares JSON, for example `application/json` or `application/geo+json`."""
    return content_type == "application/json" or bool(_JSON_TYPE.match(str(content_type)))


def check_same_type(header: str, text: str, other_header: str, other_text: str) -> None:
    """Raises InvalidEvent if two headers declare different content types.

    Letter case, spaces, quotes and the order of parameters do not matter. For JSON, `charset=utf-8` means the same as
    no charset: JSON is always UTF-8 (RFC 8259)."""
    if _normalized(text) != _normalized(other_text):
        raise InvalidEvent(
            f"two content types: the header {header!r} is {quoted(text)}, the header {other_header!r} is"
            f" {quoted(other_text)}; send only one, or the same value in both"
        )


def _normalized(content_type: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """The media type and its parameters (RFC 9110, section 8.3.1), for a comparison."""
    kind, _, rest = content_type.lower().partition(";")
    parameters = {(name, _unquoted(value)) for name, value in _PARAMETER.findall(f";{rest}")}
    if is_json(kind):
        parameters -= _UTF_8
    return "".join(kind.split()), frozenset(parameters)


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1].replace("\\", "") if value[:1] == '"' and value[-1:] == '"' else value


def checked_json(value: bytes) -> bytes:
    """Return `value` if it is one complete JSON value in valid UTF-8. Raises ValueError otherwise.

    Only such bytes may be copied into a batch: `[1]},{"id":"evil"` would add a second, forged event.
    """
    try:
        if not value.isascii():
            value.decode("utf-8")
        _RAW.decode(value)
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return value


def as_content(data: bytes, content_type: str | None) -> bytes:
    """Convert a JSON `data` value into content of the declared type.

    If the type is not JSON, a JSON string stands for the text itself (CloudEvents' JSON format, section 3.1).
    """
    if content_type is None or is_json(content_type) or not data.startswith(b'"'):
        return data
    try:
        return msgspec.json.decode(data, type=str).encode()
    except msgspec.MsgspecError:  # a lone surrogate, which UTF-8 cannot express
        return data
