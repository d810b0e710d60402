"""The Kafka records that a test writes and reads."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Message

from fncast import media_type

Headers = list[tuple[str, bytes | None]]
PREFIX = "ce_"  # of the headers that hold the attributes of a CloudEvent


@dataclass(frozen=True)
class InputRecord:
    """A record for an input topic. topic: empty for the first input topic. partition: -1 to choose it by key."""

    value: bytes | None
    key: bytes | None = None
    headers: Headers = field(default_factory=list)
    partition: int = -1
    topic: str = ""


@dataclass(frozen=True)
class ForecastRecord:
    """An event on the output topic.

    attributes: of the CloudEvent, without `ce_`. data: parsed if it is JSON, else bytes; None without data.
    """

    attributes: dict[str, str]
    data: Any
    key: bytes | None
    partition: int
    headers: Headers

    @classmethod
    def of(cls, message: Message) -> ForecastRecord:
        """The record of a message without error from the output topic."""
        headers = _headers(message)
        value, content_type = message.value(), dict(headers).get("content-type") or b""
        is_json = value is not None and media_type.is_json(content_type.decode("utf-8", "replace"))
        return cls(
            _attributes(headers),
            json.loads(value) if is_json and value is not None else value,
            _bytes(message.key()),
            _number(message.partition()),
            headers,
        )


@dataclass(frozen=True)
class DeadLetterRecord:
    """A record on the dead-letter topic.

    reason: why it is there. attempts: calls made for its event. code: the HTTP status, if a function returned one.
    value, key: of the original record. attributes: of its CloudEvent in binary mode. headers: all of them.
    """

    reason: str
    attempts: int
    code: int | None
    value: bytes | None
    key: bytes | None
    attributes: dict[str, str]
    headers: Headers

    @classmethod
    def of(cls, message: Message) -> DeadLetterRecord:
        """The record of a message without error from the dead-letter topic."""
        headers = _headers(message)
        # The added headers come last. The sender's may hold any bytes.
        named = {name: (text or b"").decode("utf-8", "replace") for name, text in headers}
        return cls(
            named["fncast-reason"],
            int(named["fncast-attempts"]),
            int(named["knativeerrorcode"]) if "knativeerrorcode" in named else None,
            _bytes(message.value()),
            _bytes(message.key()),
            _attributes(headers),
            headers,
        )


def _headers(message: Message) -> Headers:
    pairs: Any = message.headers() or []  # the driver's type allows a dict, which only producers use
    return [(name, _bytes(text)) for name, text in pairs]


def _attributes(headers: Headers) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX): (text or b"").decode("utf-8", "replace")
        for name, text in headers
        if name.startswith(PREFIX)
    }


def _bytes(text: str | bytes | None) -> bytes | None:
    return text.encode() if isinstance(text, str) else text


def _number(partition: int | None) -> int:
    return -1 if partition is None else partition
