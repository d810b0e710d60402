"""Waits for what a reader does."""

from __future__ import annotations

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.kafka.reader import TopicReader
from tests.waiting import eventually


def take(reader: TopicReader, count: int) -> list[ReceivedRecord]:
    """At least `count` records."""
    records: list[ReceivedRecord] = []
    eventually(lambda: records.extend(reader.take(0.1)) or len(records) >= count)
    return records
