"""Rules for attributes: names, required attributes, and hints for senders who misnamed a header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fncast.foreign_text import clean
from interceptor.cloudevents.event import Attribute
from interceptor.errors import InvalidEvent

if TYPE_CHECKING:
    from interceptor.outcome import Headers

REQUIRED = ("id", "source", "specversion", "type")
MAX_QUOTED_CHARACTERS = 64  # limit for a sender's name or value inside a reason
NAME = re.compile(r"[a-z0-9]+")
# Headers that probably mean an attribute: prefixes of other protocols, old versions and other spellings.
_MISNAMED = re.compile(r"(?:ce[-_:.]|cloudevents?[-_:.])([a-z0-9]+)", re.IGNORECASE)


def quoted(value: object) -> str:
    """Return a sender's name or value in quotes, cleaned and cut, for use in a reason."""
    return repr(clean(str(value), MAX_QUOTED_CHARACTERS))


def check_name(name: str) -> None:
    """Raises InvalidEvent if CloudEvents does not allow the attribute name."""
    if not NAME.fullmatch(name) or name == "data":
        raise InvalidEvent(
            f"invalid attribute name {quoted(name)}: use lower-case letters and digits; `data` is reserved"
        )


def check_required(attributes: dict[str, Attribute], hint: str = "") -> None:
    """Check the required attributes and the version. hint: appended where attributes are missing.

    Raises InvalidEvent.
    """
    missing = [repr(name) for name in REQUIRED if name not in attributes]
    if len(missing) == 1:
        raise InvalidEvent(f"not a CloudEvent: the attribute {missing[0]} is missing or empty{hint}")
    if missing:
        raise InvalidEvent(
            f"not a CloudEvent: the attributes {', '.join(missing)} are missing or empty{hint}"
        )
    for name in REQUIRED:
        if type(attributes[name]) is not str:
            raise InvalidEvent(f"not a CloudEvent: the attribute {name!r} is not a string")
    version = str(attributes["specversion"])
    if version != "1.0":
        raise InvalidEvent(f"CloudEvents version {quoted(version)} is not supported: use 1.0")


def check_binary(attributes: dict[str, Attribute], headers: Headers, value: bytes | None) -> None:
    """Check the attributes of a binary-mode record. Raises InvalidEvent with a hint for common mistakes."""
    hint = _hint(headers, value)
    if not any(name in attributes for name in REQUIRED):
        raise InvalidEvent(
            "not a CloudEvent: neither ce_ headers nor a content type application/cloudevents+json" + hint
        )
    check_required(attributes, hint)


def _hint(headers: Headers, value: bytes | None) -> str:
    """What the sender probably meant, as the end of a reason. Empty without a guess."""
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
    return f"; the header {quoted(name)} is ignored, did you mean {meant!r}?"
