"""How a delivery ends: a forecast to publish, a dead letter, or skipped.

Structs of msgspec, as records and events are: made for every event, they cost half of what Python's own classes do.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Headers = list[tuple[str, bytes | None]]


class OutputEvent(msgspec.Struct):
    """An event to publish in binary mode: Kafka headers and value, ready for the producer."""

    headers: Headers
    value: bytes | None


class Forecast(msgspec.Struct):
    """The function's events for this input, in its order; at least one."""

    events: list[OutputEvent]


Kind = Literal[
    "not_an_event",
    "no_destination",
    "unknown_destination",
    "bad_expirytime",
    "refused_by_function",
    "attempts_exhausted",
    "not_publishable",
    "other",
]


class DeadLetter(msgspec.Struct):
    """The record goes to the dead letters, byte for byte.

    reason: one clear sentence. code: an HTTP status where a function gave one. attempts: calls made for it.
    kind: what sort of reason it is, for a metric; "other" where an interceptor of a user's own settles the record.
    """

    reason: str
    code: int | None = None
    attempts: int = 0
    kind: Kind = "other"


class Skipped(msgspec.Struct):
    """Nothing is published: the event expired, or its function had nothing to say."""

    reason: str


Outcome = Forecast | DeadLetter | Skipped
