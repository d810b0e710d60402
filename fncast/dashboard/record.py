"""A record of a topic, as the readers see it."""

from __future__ import annotations

from dataclasses import dataclass, field

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class ReceivedRecord:
    """What a partition holds at one offset.

    timestamp_s: the record's own, in seconds since 1970, None where it has none. headers: in order, repeats kept.
    live: written after the reader came, not part of the history that it began with.
    """

    topic: str
    partition: int
    offset: int
    timestamp_s: float | None
    value: bytes | None
    headers: Headers = field(default_factory=list)
    live: bool = True

    def header(self, name: str) -> str | None:
        """The text of the last header of this name, in any case; None where there is none."""
        for header, value in reversed(self.headers):
            if header.lower() == name:
                return None if value is None else value.decode("utf-8", "replace")
        return None
