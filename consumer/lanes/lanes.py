"""The lanes of all assigned partitions: adding records, taking batches, and pausing full lanes; pure."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from consumer.lanes.lane import MAX_BYTES, MAX_EVENTS, Lane, Partition
from interceptor.delivery import Delivery, Record

PAUSE_AFTER_S = 0.2  # a lane that is full for longer is paused; a shorter pause costs more than it saves

# The bounds of all partitions together. Once they are reached, each partition gets an equal share. Before that, shares
# would be too small, because a backlog arrives in pieces of one partition.
MAX_ALL_EVENTS = 16 * 1024
MAX_ALL_BYTES = 32 * 1024 * 1024
MIN_EVENTS = 64  # the smallest share; together with other lanes it still fills a batch
# With so few lanes, each may hold twice as much. Otherwise the calls in flight could take all their events, and none
# would wait for the next call.
FEW_LANES = 2

BatchPart = tuple[Lane, list[Delivery]]  # the deliveries of one lane in a batch


@dataclass
class Flow:
    """How to poll. has_room: whether to poll at all, or to wait for results first."""

    has_room: bool = True
    pause: list[Partition] = field(default_factory=list)
    resume: list[Partition] = field(default_factory=list)


class Lanes:
    """Used by the loop's thread only."""

    def __init__(self, by_time: Collection[str] = ()) -> None:
        """by_time: topics whose partitions wait for each other, so that a full one is paused at once."""
        self._by_time = frozenset(by_time)
        self._lanes: dict[Partition, Lane] = {}
        self._is_crowded = False
        self._generations = itertools.count(1)

    def __iter__(self) -> Iterator[Lane]:
        return iter(list(self._lanes.values()))

    @property
    def partitions(self) -> list[Partition]:
        """The assigned partitions, sorted."""
        return sorted(self._lanes)

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Give each of these partitions a new, empty lane."""
        for partition in partitions:
            self._lanes[partition] = Lane(partition, next(self._generations))
        self._share_out()

    def _share_out(self) -> None:
        count = max(1, len(self._lanes)) if self._is_crowded else 1
        times = 2 if len(self._lanes) <= FEW_LANES else 1
        for lane in self._lanes.values():
            lane.max_events = max(MIN_EVENTS, min(times * MAX_EVENTS, MAX_ALL_EVENTS // count))
            lane.max_bytes = min(times * MAX_BYTES, MAX_ALL_BYTES // count)

    def of(self, partitions: Iterable[Partition]) -> list[Lane]:
        """The lanes of these partitions, without those that are not assigned."""
        return [self._lanes[partition] for partition in partitions if partition in self._lanes]

    def drop(self, partitions: Iterable[Partition]) -> None:
        """Remove lanes. Deliveries that the chain still has are ignored later."""
        for partition in partitions:
            lane = self._lanes.pop(partition, None)
            if lane is not None:
                lane.is_dropped = True
        self._share_out()

    def add(self, records: Iterable[Record]) -> None:
        """Add each record to the lane of its partition. Records of other partitions are dropped."""
        for record in records:
            # Without a lane, the partition was revoked meanwhile, and its next owner reads the record.
            lane = self._lanes.get((record.topic, record.partition))
            if lane is not None:
                lane.add(Delivery(record, lane.generation))

    def flow(self, now_s: float) -> Flow:
        """Whether there is room for another poll, and which partitions to pause or resume.

        A poll may return records of any partition, so one full lane stops the poll for all lanes. After a short time
        the full lane is paused. Then the others continue, and polling keeps the membership in the group.
        """
        events = sum(lane.events for lane in self._lanes.values())
        held = sum(lane.bytes for lane in self._lanes.values())
        is_crowded = events >= MAX_ALL_EVENTS or held >= MAX_ALL_BYTES
        if is_crowded != self._is_crowded:
            self._is_crowded = is_crowded
            self._share_out()
        flow = Flow()
        for lane in self._lanes.values():
            if lane.is_paused:
                if lane.has_room_again:
                    lane.is_paused, lane.full_since_s = False, None
                    flow.resume.append(lane.partition)
            elif not lane.is_full:
                lane.full_since_s = None
            else:
                self._hold_back(lane, now_s, flow)
        return flow

    def _hold_back(self, lane: Lane, now_s: float, flow: Flow) -> None:
        """Pause a lane that has been full for a while. Until then, do not poll.

        A lane whose topic's partitions wait for each other is paused at once.
        """
        if lane.full_since_s is None:
            lane.full_since_s = now_s
        if lane.partition[0] in self._by_time or now_s - lane.full_since_s >= PAUSE_AFTER_S:
            lane.is_paused = True
            flow.pause.append(lane.partition)
        else:
            flow.has_room = False

    def take(self, most: int) -> list[BatchPart]:
        """Up to `most` waiting deliveries, in equal shares of the lanes."""
        lanes = [lane for lane in self._lanes.values() if lane.waiting and not lane.is_held][:most]
        share = most // max(1, len(lanes))
        parts = [(lane, lane.take(share)) for lane in lanes]
        left = most - sum(len(deliveries) for _, deliveries in parts)
        for lane, deliveries in parts:
            more = lane.take(left)
            deliveries += more
            left -= len(more)
        return parts

    def waiting(self) -> int:
        """How many deliveries a batch could take."""
        return sum(len(lane.waiting) for lane in self._lanes.values() if not lane.is_held)

    def published(self) -> int:
        """How many deliveries are published and not yet committed."""
        return sum(len(lane.published) for lane in self._lanes.values())

    def to_commit(self) -> dict[Lane, int]:
        """The number of published deliveries of each lane that has any."""
        return {lane: len(lane.published) for lane in self._lanes.values() if lane.published}

    def need_commit(self, events: int) -> bool:
        """Whether this many deliveries are published, or half of one lane's bound: the lane would soon be full."""
        return self.published() >= events or any(
            2 * len(lane.published) >= lane.max_events for lane in self._lanes.values()
        )

    def in_flight(self) -> int:
        """How many deliveries all lanes hold, from poll to commit."""
        return sum(lane.events for lane in self._lanes.values())


def next_offsets(published: Mapping[Lane, int]) -> dict[Partition, int]:
    """The offsets to commit for the given number of published deliveries of each lane."""
    return {lane.partition: lane.published[count - 1].record.offset + 1 for lane, count in published.items()}
