"""A CloudEvent 1.0: attributes as Python values, data as bytes."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

Attribute = str | int | bool


class Event(msgspec.Struct, eq=False, gc=False):
    """One CloudEvent, created by `read_event`.

    attributes: by name, without `data`. Values are strings in binary mode; structured mode also has int and bool.
    data: one complete, valid JSON value as bytes if `is_json`, otherwise the original bytes. None without data.
    members: the attributes as members of a JSON object, for example `b'"id":"1"'`. Calls in JSON send these, so
    a change of an attribute needs a change of its member.
    """

    attributes: dict[str, Attribute]
    data: bytes | None
    is_json: bool
    members: list[bytes]

    def text(self, name: str) -> str | None:
        """Return an attribute as a string, or None if it is absent."""
        value = self.attributes.get(name)
        return value if value is None or type(value) is str else _canonical_text(value)

    @property
    def size(self) -> int:
        """About how many bytes a request with this event has."""
        return len(self.data or b"")

    def to_json(self) -> bytes:
        """Return the event in CloudEvents' JSON format. `data` is copied in as it is: the reader has validated it."""
        members = b",".join(self.members)
        if self.data is None:
            return b"{%b}" % members
        if self.is_json:
            return b'{%b,"data":%b}' % (members, self.data)
        return b'{%b,"data_base64":"%b"}' % (members, base64.b64encode(self.data))


def _canonical_text(value: Any) -> str:
    """The canonical string form of CloudEvents' type system."""
    return str(value).lower() if isinstance(value, bool) else str(value)
