"""The outcomes of a delivery: a forecast to publish, a dead letter, skipped, or one for each of its windows.

They are msgspec structs, because one is created for every event (docs/decisions/011-structs.md). No outcome refers to
itself, so the frequent ones need no garbage collection.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Headers = list[tuple[str, bytes | None]]


class OutputEvent(msgspec.Struct, gc=False):
    """An event to publish in binary mode.

    headers: Kafka headers, named `ce_` and an attribute's name, or `content-type`, with UTF-8 bytes.
    value: the event's data as bytes; None publishes a record without a value.
    topic: empty for the output topic. Records for another topic go by `key`.
    """

    headers: Headers
    value: bytes | None
    topic: str = ""
    key: bytes | None = None


class Forecast(msgspec.Struct, gc=False):
    """The function's events for this input are published on the output topic.

    events: at least one, in the function's order. All of them are published, or none.
    """

    events: list[OutputEvent]


DeadLetterKind = Literal[
    "not_an_event",
    "not_a_window",
    "no_destination",
    "unknown_destination",
    "bad_expirytime",
    "refused_by_function",
    "attempts_exhausted",
    "not_publishable",
    "undecodable",
    "other",
]


class DeadLetter(msgspec.Struct):
    """The record is copied to the dead-letter topic, byte for byte.

    reason: one clear sentence. code: the HTTP status, if a function returned one. attempts: calls made for this event.
    kind: class of the reason, for a metric. Users' own interceptors leave it at "other".
    """

    reason: str
    code: int | None = None
    attempts: int = 0
    kind: DeadLetterKind = "other"


class Skipped(msgspec.Struct):
    """Nothing is published: the event expired, or the function returned no event.

    reason: a short text.
    """

    reason: str


class Assembled(msgspec.Struct):
    """Each window that the record completed has a separate outcome. Set by the chain once all have one."""


Outcome = Forecast | DeadLetter | Skipped | Assembled
