"""What was refused, and why."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fncast.dashboard.event import NotAnEvent, parse
from fncast.dashboard.names import shown_name
from fncast.dashboard.record import ReceivedRecord
from fncast.foreign_text import clean

REASON_HEADER = "fncast-reason"
MAX_LATEST = 20  # as many as a person reads
MAX_REASONS = 50  # a reason may quote a value, so there is no end of different ones
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
        reason = clean(record.header(REASON_HEADER) or "no reason given", MAX_TEXT)
        self.total += 1
        self._changed = True
        known = reason in self._reasons or len(self._reasons) < MAX_REASONS
        self._reasons[reason if known else OTHER_REASONS] += 1
        try:
            event = parse(record)
            name, series = clean(event.id, MAX_TEXT), shown_name(event.subject)
        except NotAnEvent:
            name = series = ""
        self._latest.append(
            {
                "time": record.timestamp_s,
                "reason": reason,
                "event": name,
                "series": series,
                "from": _place(record),
            }
        )
        # Of several partitions each is read in its own order.
        self._latest.sort(key=lambda letter: letter["time"] or 0.0, reverse=True)
        del self._latest[MAX_LATEST:]

    def snapshot(self) -> dict[str, Any]:
        return {
            "total": self.total,
            "reasons": [{"reason": text, "count": count} for text, count in self._reasons.most_common()],
            "latest": self._latest,
        }

    def take_changes(self) -> dict[str, Any] | None:
        """The whole again if it changed since the last call."""
        changed, self._changed = self._changed, False
        return self.snapshot() if changed else None


def _place(record: ReceivedRecord) -> str:
    """Where the original record stood, as topic/partition@offset; empty where the headers do not say."""
    topic, partition, offset = (record.header(f"fncast-{name}") for name in ("topic", "partition", "offset"))
    return clean(f"{topic}/{partition}@{offset}", MAX_TEXT) if topic is not None else ""
