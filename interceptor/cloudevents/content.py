"""Data and its content type: JSON or not, valid or not."""

from __future__ import annotations

import msgspec

from fncast import media_type
from fncast.wording.json import describe
from interceptor.cloudevents.attributes import quoted
from interceptor.cloudevents.event import Attribute
from interceptor.errors import InvalidEvent

_RAW = msgspec.json.Decoder(msgspec.Raw)


def is_json(content_type: Attribute) -> bool:
    """Whether the content type declares JSON, for example `application/json` or `application/geo+json`."""
    return content_type == "application/json" or media_type.is_json(str(content_type))


def check_same_type(header: str, text: str, other_header: str, other_text: str) -> None:
    """Raises InvalidEvent if two headers declare different content types."""
    if not media_type.are_same(text, other_text):
        raise InvalidEvent(
            f"two content types: the header {header!r} is {quoted(text)}, the header {other_header!r} is"
            f" {quoted(other_text)}; send only one, or the same value in both"
        )


def checked_json(value: bytes) -> bytes:
    """Return `value` if it is one complete JSON value in valid UTF-8. Raises ValueError otherwise.

    Only such bytes may be copied into a batch: `[1]},{"id":"evil"` would add a second, forged event.
    """
    try:
        if not value.isascii():
            value.decode("utf-8")
        _RAW.decode(value)
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(describe(error)) from None
    return value


def as_content(data: bytes, content_type: str | None) -> bytes:
    """Convert a JSON `data` value into content of the declared type.

    If the type is not JSON, a JSON string holds the text itself (CloudEvents' JSON format, section 3.1).
    """
    if content_type is None or is_json(content_type) or not data.startswith(b'"'):
        return data
    try:
        return msgspec.json.decode(data, type=str).encode()
    except msgspec.MsgspecError:  # a lone surrogate, which UTF-8 cannot express
        return data
