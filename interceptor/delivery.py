"""What passes through the chain: a batch of deliveries. Each delivery is a Kafka record and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from interceptor.cloudevents.event import Event

if TYPE_CHECKING:
    from interceptor.builtin.retry import Retry
    from interceptor.outcome import Headers, Outcome
    from interceptor.routes.route import Route


class Record(msgspec.Struct, eq=False, gc=False):
    """A Kafka record as it was read.

    offset: position in the partition. timestamp_ms: milliseconds since 1970 UTC, by the producer or the broker.
    key, value: bytes, None if the record has none. headers: pairs of a name and bytes or None, in order, with
    duplicates. flaw: why the headers could not be read; empty if they were.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    flaw: ClassVar[str] = ""


class UnreadableRecord(Record):
    """A record without its headers, which could not be read. A subclass, so that other records need no field."""

    flaw: ClassVar[str] = (
        "a header's name is not valid UTF-8, so the record's headers cannot be read and are missing here"
    )


class Tick(Record):
    """Not a Kafka record: the consumer puts it into a partition's order when the clock matters.

    Stateful interceptors close what is due at `timestamp_ms` and write their state. Nothing is due at 0: the partition
    is given away, or may have more records. A tick is in `Batch.deliveries` and not in `Batch.pending()`. The chain
    skips a tick that no interceptor settles.

    offset: of the partition's last record, so that committing the tick commits that record. key, value: None.
    headers: empty.
    """


class StateRecord(msgspec.Struct, gc=False):
    """A record for the compacted state topic.

    key: unique within the interceptor's state of the partition. value: None deletes the key. owner: the interceptor's
    name in the settings; set by the chain.
    """

    key: bytes
    value: bytes | None
    owner: str = ""


class Delivery:
    """One record on its way through the chain.

    event: set once the record is read. route: set by `route`. outcome: set by the interceptor that settles it.
    is_done: whether the outcome is final. Before that, an interceptor after `deliver` may still change it.
    attempts: number of failed calls with this event alone. retry: owned by `deliver`, None until a call fails.
    generation: number of the assignment that read the record; a partition that comes back gets a larger one.
    state: state records that are published with the outcome, in the same transaction.
    windows: deliveries of the windows that this record completed, in order; None until `assemble` has seen it.
    parent: the delivery of the record, for such a window; its record is the parent's.
    first_reading_ns: time of the record's earliest reading, set by `rekey`; it orders records of one timestamp.
    """

    __slots__ = (
        "attempts",
        "event",
        "first_reading_ns",
        "generation",
        "is_done",
        "outcome",
        "parent",
        "record",
        "retry",
        "route",
        "state",
        "windows",
    )

    def __init__(self, record: Record, generation: int = 0, parent: Delivery | None = None) -> None:
        self.record = record
        self.generation = generation
        self.parent = parent
        self.state: list[StateRecord] = []
        self.windows: list[Delivery] | None = None
        self.event: Event | None = None
        self.route: Route | None = None
        self.outcome: Outcome | None = None
        self.is_done = False
        self.attempts = 0
        self.first_reading_ns = 0
        self.retry: Retry | None = None

    @property
    def size(self) -> int:
        """About how many bytes the event has."""
        if self.parent is not None and self.event is not None:
            return self.event.size
        return len(self.record.value or b"")

    @property
    def key(self) -> bytes | None:
        """The key of the records that are published for this delivery: the record's, or a window's series."""
        if self.parent is not None and self.event is not None:
            return (self.event.text("subject") or "").encode()
        return self.record.key

    @property
    def opened(self) -> Event:
        """Return the event. Only for deliveries from `Batch.pending`: their record has been read.

        Raises AssertionError for a record that is not an event.
        """
        assert self.event is not None
        return self.event


class Batch:
    """Deliveries in input order, possibly of several partitions. Interceptors settle them in place.

    deliveries: all of them, settled or not; at least one.
    """

    __slots__ = ("deliveries",)

    def __init__(self, deliveries: list[Delivery]) -> None:
        self.deliveries = deliveries

    def pending(self) -> list[Delivery]:
        """Return the deliveries that have an event but no outcome, in input order.

        In place of a record whose readings were assembled, these are the windows that it completed. Ticks are not
        among them.
        """
        pending = []
        for delivery in self.deliveries:
            if delivery.outcome is not None:
                continue
            if delivery.windows:
                pending += [window for window in delivery.windows if window.outcome is None]
            elif delivery.event is not None:
                pending.append(delivery)
        return pending
