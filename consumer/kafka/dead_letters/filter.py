"""Selects dead letters of a topic; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from consumer.kafka.dead_letters.stored import StoredDeadLetter


@dataclass(frozen=True)
class DeadLetterFilter:
    """Contains the letters that match all its fields. An empty field matches every letter.

    reason: a part of the reason, case ignored. destination: of the letter's event. since: rejected at this time or
    later. place: of one letter, as PARTITION/OFFSET.
    """

    reason: str = ""
    destination: str = ""
    since: datetime | None = None
    place: str = ""

    def __contains__(self, letter: StoredDeadLetter) -> bool:
        if self.place and letter.place != self.place:
            return False
        if self.since is not None and (letter.refused_at is None or letter.refused_at < self.since):
            return False
        if self.reason.casefold() not in letter.reason.casefold():
            return False
        return not self.destination or letter.attributes().get("destination") == self.destination

    def name(self, since: str = "") -> str:
        """Identifies this filter: each has its own progress. since: as the user wrote it, because `2h` is relative."""
        if self == DeadLetterFilter():
            return "all"
        parts = (self.reason, self.destination, since) + ((self.place,) if self.place else ())
        return sha256(repr(parts).encode()).hexdigest()[:12]
