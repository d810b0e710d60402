"""Merges the topics of one partition number in the order of their records' timestamps; pure but for the clock.

As in Kafka Streams: of the records at hand, the one with the smallest timestamp is next, and a topic without records is
waited for until it is known to have none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from interceptor.delivery import Delivery, Tick

# A record waits at most so long for a topic that says nothing: an empty topic sends no ticks.
PATIENCE_S = 2.0


class Merge:
    """The order of one partition number. `ready` must see every delivery of its topics, also those that it held."""

    def __init__(self, topics: Collection[str], clock: Callable[[], float]) -> None:
        """clock: monotonic, in seconds."""
        self._topics = frozenset(topics)
        self._clock = clock
        self._seen_ms: dict[str, int] = {}
        self._held: dict[str, int] = {}  # by topic the offset of the first record that waits
        self._since_s: dict[str, float] = {}

    def ready(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """The deliveries that can be processed now, in their order. The others must be left unsettled.

        deliveries: of this partition number, each topic in the order of its offsets."""
        lanes: dict[str, list[Delivery]] = {}
        for delivery in deliveries:
            record = delivery.record
            seen_ms = self._seen_ms.get(record.topic, record.timestamp_ms)
            self._seen_ms[record.topic] = max(seen_ms, record.timestamp_ms)
            if type(record) is not Tick:
                lanes.setdefault(record.topic, []).append(delivery)
        ready: list[Delivery] = []
        for topic, lane in lanes.items():
            lane.sort(key=lambda delivery: delivery.record.offset)
            if lane[0].record.offset > self._held.get(topic, lane[0].record.offset):
                continue  # an earlier record of the topic waits, and comes again
            waits = self._process(topic, lane)
            ready += lane[:waits]
        latest: dict[str, int] = {}
        keys: dict[int, tuple[int, bool, int]] = {}
        for delivery in ready:
            record = delivery.record
            # Timestamps of one topic may step back; its own order stays.
            at_ms = latest[record.topic] = max(latest.get(record.topic, 0), record.timestamp_ms)
            keys[id(delivery)] = (at_ms, False, record.offset)
        return sorted(ready, key=lambda delivery: keys[id(delivery)])

    def _process(self, topic: str, lane: Sequence[Delivery]) -> int:
        """How many of a topic's deliveries may be processed."""
        others_ms = [self._seen_ms.get(other, -1) for other in self._topics - {topic}]
        horizon_ms = min(others_ms, default=None)
        now_s = self._clock()
        for place, delivery in enumerate(lane):
            if horizon_ms is None or delivery.record.timestamp_ms <= horizon_ms:
                continue
            offset = delivery.record.offset
            if self._held.get(topic) != offset:
                self._held[topic], self._since_s[topic] = offset, now_s
            if now_s - self._since_s[topic] < PATIENCE_S:
                return place
            break
        self._held.pop(topic, None)
        return len(lane)
