"""A lane: the deliveries of one partition between poll and commit, in offset order; pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from math import inf

from interceptor.delivery import Delivery, StateRecord, Tick
from interceptor.outcome import Skipped

Partition = tuple[str, int]  # topic and number

# The bounds of one partition in memory. They keep a slow function from holding back the partitions of other functions.
MAX_EVENTS = 4096
MAX_BYTES = 4 * 1024 * 1024
HEADER_BYTES = 192  # what a header takes in memory: a tuple, a short name, a short value


class Lane:
    """Deliveries enter by `add`, go to the chain by `take`, and are published in order by `settled`.

    A delivery is in `waiting` until a batch takes it, and in `unpublished` until it is published. It stays in
    `published` until its offset is committed, so that an aborted transaction can be published again.
    """

    def __init__(self, partition: Partition, generation: int = 0) -> None:
        """generation: number of the assignment, for the deliveries."""
        self.partition = partition
        self.generation = generation
        self.waiting: deque[Delivery] = deque()
        self.unpublished: deque[Delivery] = deque()
        self.published: list[Delivery] = []
        self.full_since_s: float | None = None
        self.awaited_since_s: float | None = None  # since when others wait for it, see `TimeOrder`
        self.is_paused = False
        self.is_dropped = False
        self.is_held = False  # its state is being restored: no batch takes its deliveries
        self._moves: list[StateRecord] = []  # published with the next delivery
        self._previous: int | None = None  # offset of the last record that is no longer in the lane
        # The group's offset when the lane was assigned, below 0 for none; 0 in a topic that was created again.
        self.start: int | None = None
        self.max_events = MAX_EVENTS
        self.max_bytes = MAX_BYTES
        self.bytes = 0

    @property
    def events(self) -> int:
        """The number of deliveries that it holds."""
        return len(self.unpublished) + len(self.published)

    @property
    def first_offset(self) -> int | None:
        """The offset of the first uncommitted record; None if all are committed."""
        if self.published:
            return self.published[0].record.offset
        return self.unpublished[0].record.offset if self.unpublished else None

    @property
    def last_offset(self) -> int | None:
        """The offset of the last record that was read or, before the first one, committed; None if there is none."""
        if self.unpublished:
            return self.unpublished[-1].record.offset
        return self.published[-1].record.offset if self.published else self._previous

    @property
    def is_full(self) -> bool:
        """Whether it has reached its bound for events or for bytes."""
        return self.events >= self.max_events or self.bytes >= self.max_bytes

    @property
    def has_room_again(self) -> bool:
        """Whether at least half of it is free: a resumed partition is then not paused again at once."""
        return self.events <= self.max_events // 2 and self.bytes <= self.max_bytes // 2

    def add(self, delivery: Delivery) -> None:
        """Add a delivery behind all others, with the state records of `release` if it is the first after it."""
        if self._moves:
            delivery.state += self._moves
            self._moves = []
        self.waiting.append(delivery)
        self.unpublished.append(delivery)
        self.bytes += _size(delivery)

    def release(self, previous: int | None, moves: Sequence[StateRecord]) -> None:
        """The state is restored. previous: offset of the last committed record, None without one.

        moves: restored state that moves to another partition of the state topic, published with the next delivery.
        """
        self.is_held = False
        self._previous = previous
        if self.unpublished:
            self.unpublished[0].state += moves
        else:
            self._moves = list(moves)

    def drop_waiting(self) -> None:
        """Forget the deliveries that no batch has taken. They are read again."""
        waiting = set(self.waiting)
        self.waiting.clear()
        while self.unpublished and self.unpublished[-1] in waiting:
            self.bytes -= _size(self.unpublished.pop())

    def take(self, most: int) -> list[Delivery]:
        """Up to `most` waiting deliveries, in order, for a batch."""
        waiting = self.waiting
        return [waiting.popleft() for _ in range(min(most, len(waiting)))]

    def put_back(self, deliveries: Sequence[Delivery]) -> None:
        """Let deliveries that the chain left unsettled wait again, in the order of the lane. At least one."""
        waiting = self.waiting
        is_first = not waiting or deliveries[-1].record.offset < waiting[0].record.offset
        waiting.extendleft(reversed(deliveries))
        if not is_first:  # of overlapping batches, the later one may end first
            all_waiting = set(waiting)
            self.waiting = deque(delivery for delivery in self.unpublished if delivery in all_waiting)

    @property
    def has_settled(self) -> bool:
        """Whether the first delivery can be published."""
        return bool(self.unpublished) and self.unpublished[0].is_done

    def settled(self, most: float = inf) -> Iterator[Delivery]:
        """Take up to `most` deliveries that can be published now: from the first up to one that is not done.

        A tick without effect is left out if nothing else needs a commit: its offset is committed already.
        """
        unpublished = self.unpublished
        while unpublished and unpublished[0].is_done and most > 0:
            most -= 1
            delivery = unpublished.popleft()
            if not self.published and _is_void(delivery):
                continue
            self.published.append(delivery)
            yield delivery

    def published_before(self, offset: int) -> int:
        """How many published deliveries come before this input offset."""
        return bisect_left(self.published, offset, key=lambda delivery: delivery.record.offset)

    def committed(self, count: int) -> None:
        """Remove the first `count` published deliveries: they are committed."""
        for delivery in self.published[:count]:
            self.bytes -= _size(delivery)
            delivery.windows = None  # they refer to the delivery: without the cycle, both are freed at once
        if count:
            self._previous = self.published[count - 1].record.offset
        del self.published[:count]

    def aborted(self, stored: int = 0) -> None:
        """Published deliveries were undone, except the first `stored`: publish them again, before all others."""
        self.unpublished.extendleft(reversed(self.published[stored:]))
        del self.published[stored:]


def _size(delivery: Delivery) -> int:
    """About how many bytes its key, value and headers take in memory."""
    record = delivery.record
    return len(record.key or b"") + len(record.value or b"") + HEADER_BYTES * len(record.headers)


def _is_void(delivery: Delivery) -> bool:
    """Whether it is a tick that has neither results nor state."""
    is_skipped = type(delivery.record) is Tick and type(delivery.outcome) is Skipped
    return is_skipped and not delivery.state
