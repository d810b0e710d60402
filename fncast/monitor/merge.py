"""Merges the topics of one partition number in the order of their records' timestamps; pure but for the clock.

As in Kafka Streams, the record with the smallest timestamp is next. If a topic has no record in the batch, the other
topics wait until that topic is known to have no earlier record.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from interceptor.delivery import Delivery, Tick

# How long to wait for a topic that has sent no record or tick yet: an empty topic sends no ticks.
PATIENCE_S = 30.0
# A tick says that its topic is silent. One tick is enough for records of other topics that are less than LIVE_MS older.
# For older records, QUIET_TICKS in a row are needed: the consumer is catching up, and earlier records of the silent
# topic may still be on their way.
LIVE_MS = 30_000
QUIET_TICKS = 5


class TopicProgress:
    """How far a topic has come.

    Timestamps are in milliseconds since 1970. seen_ms: the largest timestamp of its records. tick_ms: timestamp of its
    newest tick; -1 once a record followed. ticks: number of ticks since the last record.
    """

    def __init__(self) -> None:
        self.seen_ms = -1
        self.tick_ms = -1
        self.ticks = 0
        self._waiting: dict[int, int] = {}  # timestamps of the records that were left unsettled, by offset
        self._earliest_ms: float | None = None  # of these timestamps; None if it must be found again

    def add(self, delivery: Delivery) -> None:
        """Note a record or a tick."""
        at_ms = delivery.record.timestamp_ms
        if type(delivery.record) is Tick:
            self.tick_ms = max(self.tick_ms, at_ms)
            self.ticks += 1
        else:
            self.seen_ms = max(self.seen_ms, at_ms)
            self.tick_ms, self.ticks = -1, 0

    def left_unsettled(self, deliveries: Iterable[Delivery]) -> None:
        """Note records that were left unsettled: they will be delivered again."""
        self._waiting |= {each.record.offset: each.record.timestamp_ms for each in deliveries}
        self._earliest_ms = None

    def settled(self, delivery: Delivery) -> None:
        """Note that a record is processed."""
        if self._waiting.pop(delivery.record.offset, None) is not None:
            self._earliest_ms = None

    def waits_before(self, offset: int) -> bool:
        """Whether a record with a smaller offset waits."""
        return min(self._waiting, default=offset) < offset

    def is_past(self, at_ms: int) -> bool:
        """Whether no record with an earlier timestamp is expected or waits."""
        if self._earliest_ms is None:
            self._earliest_ms = min(self._waiting.values(), default=math.inf)
        if self._earliest_ms < at_ms:
            return False
        if at_ms <= self.seen_ms:
            return True
        is_live = self.tick_ms - at_ms < LIVE_MS
        return at_ms <= self.tick_ms and (is_live or self.ticks >= QUIET_TICKS)


class Merge:
    """Orders the deliveries of one partition number by their timestamps.

    `ready` or `hold` must see every delivery, also those left unsettled.
    """

    def __init__(self, topics: Sequence[str], clock: Callable[[], float]) -> None:
        """topics: at equal timestamps, an earlier one is first. clock: monotonic, in seconds."""
        self._topics = tuple(topics)
        self._clock = clock
        self._began_s = clock()
        self._progress: dict[str, TopicProgress] = {}

    def ready(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """The deliveries that can be processed now, in their order. The others must be left unsettled.

        deliveries: of this partition number, each topic in the order of its offsets.
        """
        lanes = self._lanes(deliveries)
        ready: list[Delivery] = []
        candidates = {topic: lane for topic, lane in lanes.items() if self._is_complete(topic, lane)}
        while candidates:
            topic = min(candidates, key=lambda topic: self._place(topic, candidates[topic][0]))
            if not self._is_next(candidates[topic][0].record.timestamp_ms, candidates):
                break
            delivery = candidates[topic].popleft()
            self._progress[topic].settled(delivery)
            ready.append(delivery)
            if not candidates[topic]:
                del candidates[topic]
        self._wait_for(lanes)
        return ready

    def hold(self, deliveries: Sequence[Delivery]) -> None:
        """Leave all deliveries unsettled: later ones of their topics wait for them."""
        self._wait_for(self._lanes(deliveries))

    def _lanes(self, deliveries: Sequence[Delivery]) -> dict[str, deque[Delivery]]:
        """The records by topic, in the order of their offsets. Notes how far each topic has come."""
        lanes: dict[str, deque[Delivery]] = {}
        for delivery in sorted(deliveries, key=lambda delivery: delivery.record.offset):
            topic = delivery.record.topic
            self._progress.setdefault(topic, TopicProgress()).add(delivery)
            if type(delivery.record) is not Tick:
                lanes.setdefault(topic, deque()).append(delivery)
        return lanes

    def _wait_for(self, lanes: Mapping[str, Iterable[Delivery]]) -> None:
        for topic, lane in lanes.items():
            self._progress[topic].left_unsettled(lane)

    def forget(self, topic: str) -> None:
        """Forget a topic whose partition was taken away.

        Its waiting records are read again if the partition comes back.
        """
        self._progress.pop(topic, None)
        self.wait()

    def wait(self) -> None:
        """Wait PATIENCE_S again for topics that have sent no record or tick yet."""
        self._began_s = self._clock()

    def _place(self, topic: str, delivery: Delivery) -> tuple[int, int]:
        return delivery.record.timestamp_ms, self._topics.index(topic)

    def _is_complete(self, topic: str, lane: deque[Delivery]) -> bool:
        """Whether no earlier record of the topic waits outside of this lane."""
        return not self._progress[topic].waits_before(lane[0].record.offset)

    def _is_next(self, at_ms: int, lanes: Mapping[str, object]) -> bool:
        """Whether a record can be processed: the topics without a candidate are past its timestamp.

        at_ms: the record's timestamp. lanes: by topic, for the topics with a candidate.
        """
        absent = [topic for topic in self._topics if topic not in lanes]
        if (
            any(topic not in self._progress for topic in absent)
            and self._clock() - self._began_s < PATIENCE_S
        ):
            return False
        return all(self._progress[topic].is_past(at_ms) for topic in absent if topic in self._progress)
