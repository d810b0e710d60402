"""Waits for what a reader does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.kafka.reader import TopicReader

PATIENCE_S = 30.0


def eventually(condition: Callable[[], Any]) -> Any:
    """The first true value of `condition`. Fails after PATIENCE_S."""
    end = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {PATIENCE_S:g} s"
        time.sleep(0.02)
    return value


def take(reader: TopicReader, count: int) -> list[ReceivedRecord]:
    """At least `count` records."""
    records: list[ReceivedRecord] = []
    eventually(lambda: records.extend(reader.take(0.1)) or len(records) >= count)
    return records
