"""Hands batches of records from the reader's thread to the thread that takes them, within limits."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from fncast.dashboard.events.record import ReceivedRecord

# Batches to read ahead, and bytes of their values. More records wait at the broker.
MAX_BATCHES = 40
MAX_BYTES = 64 * 1024 * 1024

Batch = list[ReceivedRecord]


class BatchQueue:
    """A queue of at most MAX_BATCHES. It takes no further batch while it holds MAX_BYTES. Threads may share it."""

    def __init__(self) -> None:
        self._batches: deque[Batch] = deque()
        self._bytes = 0
        self._changed = threading.Condition()

    def put(self, batch: Batch, timeout_s: float) -> bool:
        """Add a batch once there is room. Returns False if there is none within `timeout_s`."""
        with self._changed:
            if not self._changed.wait_for(self._has_room, timeout_s):
                return False
            self._batches.append(batch)
            self._bytes += _size(batch)
            self._changed.notify_all()
            return True

    def take(self, timeout_s: float) -> Batch:
        """Remove the oldest batch; an empty list if there is none within `timeout_s`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._batches, timeout_s):
                return []
            batch = self._batches.popleft()
            self._bytes -= _size(batch)
            self._changed.notify_all()
            return batch

    def _has_room(self) -> bool:
        return len(self._batches) < MAX_BATCHES and self._bytes < MAX_BYTES


def _size(batch: Sequence[ReceivedRecord]) -> int:
    """The bytes of the values."""
    return sum(len(record.value or b"") for record in batch)
