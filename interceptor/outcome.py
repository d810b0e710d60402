"""How a delivery ends: a forecast to publish, a dead letter, or skipped."""

from __future__ import annotations

from dataclasses import dataclass

Headers = list[tuple[str, bytes | None]]


@dataclass(slots=True)
class OutputEvent:
    """An event to publish in binary mode: Kafka headers and value, ready for the producer."""

    headers: Headers
    value: bytes | None


@dataclass(slots=True)
class Forecast:
    """The function's events for this input, in its order; at least one."""

    events: list[OutputEvent]


@dataclass(slots=True)
class DeadLetter:
    """The record goes to the dead letters, byte for byte.

    reason: one clear sentence. code: an HTTP status where a function gave one. attempts: calls made for it.
    """

    reason: str
    code: int | None = None
    attempts: int = 0


@dataclass(slots=True)
class Skipped:
    """Nothing is published: the event expired, or its function had nothing to say."""

    reason: str


Outcome = Forecast | DeadLetter | Skipped
