"""What passes the chain: a batch of deliveries, each a Kafka record on its way to an outcome."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, ClassVar

import msgspec

from interceptor.cloudevents.event import Event

if TYPE_CHECKING:
    from interceptor.outcome import Headers, Outcome
    from interceptor.routes.route import Route


class Record(msgspec.Struct, eq=False):
    """A Kafka record as it was read. `headers` keeps order and duplicates; `flaw`: why they were not read, if so."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    flaw: ClassVar[str] = ""


class UnreadableRecord(Record):
    """Its headers could not be read, and are left out. A class of its own costs the others nothing."""

    flaw: ClassVar[str] = (
        "a header's name is not valid UTF-8: its headers cannot be read, and are left out here"
    )


class Delivery:
    """One record on its way: `event` once it was read, `route` once it was routed, `outcome` once it is settled.

    `is_done` is set once the whole chain has seen the outcome: interceptors behind `deliver` may still change it.
    What follows is `deliver`'s own and outlives a batch: an unsettled delivery comes again in a later one.
    `attempts` counts calls in which the event stood alone and failed; `successes_before` is how many calls of its
    route had succeeded when it failed first. No call is made before `retry_at_s` (a monotonic time), unless an outage
    has ended since, of which `outages_before` had; and none with more than `most_in_call` events.
    """

    __slots__ = (
        "attempts",
        "event",
        "is_done",
        "most_in_call",
        "outages_before",
        "outcome",
        "record",
        "retry_at_s",
        "route",
        "successes_before",
    )

    def __init__(self, record: Record) -> None:
        self.record = record
        self.event: Event | None = None
        self.route: Route | None = None
        self.outcome: Outcome | None = None
        self.is_done = False
        self.attempts = 0
        self.successes_before = 0
        self.retry_at_s = 0.0
        self.outages_before = 0
        self.most_in_call = sys.maxsize

    @property
    def opened(self) -> Event:
        """The event; only for deliveries that `Batch.pending` gives, whose event was read."""
        assert self.event is not None
        return self.event


class Batch:
    """Deliveries in input order, perhaps of several partitions. Interceptors settle them in place."""

    __slots__ = ("deliveries",)

    def __init__(self, deliveries: list[Delivery]) -> None:
        self.deliveries = deliveries

    def pending(self) -> list[Delivery]:
        """The deliveries that have no outcome yet, in input order."""
        return [delivery for delivery in self.deliveries if delivery.outcome is None]
