"""The order in which the partitions of some topics are published: by the timestamps of their records; pure.

As in Kafka Streams, the record with the smallest timestamp is next. While the lane of a partition is empty and the
partition was not read to its end, the other partitions wait for it. So a backlog that is read partition by partition
keeps its order. A producer sends many records in a millisecond: of records with the same timestamp, the one with the
earliest reading is next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence

from consumer.lanes.lane import Lane, Partition
from interceptor.delivery import Delivery

log = logging.getLogger("fncast.consumer")

WAIT_S = 10.0  # for a partition that seems to have records and returns none


class TimeOrder:
    """Used by the loop's thread only. It sees the partitions of this consumer, not those of others."""

    def __init__(self, topics: Collection[str], is_at_end: Callable[[Partition, int], bool]) -> None:
        """is_at_end: whether Kafka has no records after this offset of a partition, as far as is known."""
        self.topics = frozenset(topics)
        self._is_at_end = is_at_end
        self._named: set[Partition] = set()  # partitions that a log line has named

    def applies_to(self, lane: Lane) -> bool:
        """Whether the lane's topic is published in the order of timestamps."""
        return lane.partition[0] in self.topics

    def settled(self, lanes: Sequence[Lane], now_s: float) -> Iterator[Delivery]:
        """Take the deliveries that can be published now, in order. lanes: all of one topic. now_s: monotonic."""
        while not any(self._is_waited_for(lane, now_s) for lane in lanes):
            filled = [lane for lane in lanes if lane.unpublished]
            if not filled:
                return
            first = min(filled, key=_order)
            if not first.has_settled:
                return
            yield from first.settled(1)

    def _is_waited_for(self, lane: Lane, now_s: float) -> bool:
        """Whether the lane is empty, and may get records that are earlier than those of the others."""
        last = lane.last_offset
        if lane.unpublished or self._is_at_end(lane.partition, -1 if last is None else last):
            lane.awaited_since_s = None
            return False
        if lane.awaited_since_s is None:
            lane.awaited_since_s = now_s
        if now_s - lane.awaited_since_s < WAIT_S:
            return True
        if lane.partition not in self._named:
            self._named.add(lane.partition)
            log.warning(
                "%s/%d returned no records for %.0f s, so the other partitions of the topic continue without it:"
                " readings of its series may be late",
                *lane.partition,
                WAIT_S,
            )
        return False


def _order(lane: Lane) -> tuple[int, int]:
    """The first delivery's timestamp, and the time of its earliest reading: 0 while the delivery is not settled."""
    delivery = lane.unpublished[0]
    return delivery.record.timestamp_ms, delivery.first_reading_ns
