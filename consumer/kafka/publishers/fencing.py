"""Detects two consumers with one identity: they fence each other again and again."""

from __future__ import annotations

import time
from collections import deque

from confluent_kafka import KafkaError

from consumer.errors import ConsumerError

FENCED = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)
MAX_FENCED = 4
FENCED_WITHIN_S = 60.0


class Fencing:
    """Counts how often producers of one transactional id were fenced. hint: what to do, for messages."""

    def __init__(self, transactional_id: str) -> None:
        self._id = transactional_id
        self.hint = (
            f"If another consumer has the transactional.id {transactional_id!r}, give each its own"
            " [kafka] instance"
        )
        self._at_s: deque[float] = deque(maxlen=MAX_FENCED)

    def count(self) -> None:
        """A producer of this identity was fenced. Raises ConsumerError if that happened too often."""
        now_s = time.monotonic()
        if len(self._at_s) == MAX_FENCED and now_s - self._at_s[0] < FENCED_WITHIN_S:
            raise ConsumerError(f"transactions of {self._id!r} are fenced again and again. {self.hint}")
        self._at_s.append(now_s)
