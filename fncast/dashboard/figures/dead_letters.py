"""Dead letters: counts by reason, and the latest ones."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fncast.dashboard.events.event import NotAnEvent, parse
from fncast.dashboard.events.names import shown_name
from fncast.dashboard.events.record import ReceivedRecord
from fncast.foreign_text import clean

REASON_HEADER = "fncast-reason"
MAX_LATEST = 20  # enough for a person to read
MAX_REASONS = 50  # reasons can quote values, so their number is unlimited
OTHER_REASONS = "other reasons"
MAX_TEXT = 300


class DeadLetters:
    """Counts dead letters by reason and keeps the latest."""

    def __init__(self) -> None:
        self.total = 0
        self._reasons: Counter[str] = Counter()
        self._latest: list[dict[str, Any]] = []  # newest first
        self._changed = False

    def add(self, record: ReceivedRecord) -> None:
        """Count a record of the dead-letter topic. Its value does not have to be an event."""
        reason = clean(record.header(REASON_HEADER) or "no reason given", MAX_TEXT)
        self.total += 1
        self._changed = True
        has_room = reason in self._reasons or len(self._reasons) < MAX_REASONS
        self._reasons[reason if has_room else OTHER_REASONS] += 1
        try:
            event = parse(record)
            event_id, series = clean(event.id, MAX_TEXT), shown_name(event.subject)
        except NotAnEvent:
            event_id = series = ""
        self._latest.append(
            {
                "time": record.timestamp_s,
                "reason": reason,
                "event": event_id,
                "series": series,
                "from": _place(record),
            }
        )
        # Records of several partitions do not arrive in the order of time.
        self._latest.sort(key=lambda letter: letter["time"] or 0.0, reverse=True)
        del self._latest[MAX_LATEST:]

    def snapshot(self) -> dict[str, Any]:
        """Total, counts by reason (highest first) and the latest dead letters (newest first)."""
        return {
            "total": self.total,
            "reasons": [{"reason": text, "count": count} for text, count in self._reasons.most_common()],
            "latest": self._latest,
        }

    def take_changes(self) -> dict[str, Any] | None:
        """A snapshot if something changed since the last call, else None."""
        changed, self._changed = self._changed, False
        return self.snapshot() if changed else None


def _place(record: ReceivedRecord) -> str:
    """The position of the original record as `topic/partition@offset`; "" if the headers do not name it."""
    topic, partition, offset = (record.header(f"fncast-{name}") for name in ("topic", "partition", "offset"))
    return clean(f"{topic}/{partition}@{offset}", MAX_TEXT) if topic is not None else ""
