"""Writes state records to the state topic: with their delivery's outcome, or after the commit of their offset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from consumer.errors import ConsumerError, RecordRejected, RecordTooLarge
from consumer.kafka.publishers.publisher import Publisher
from consumer.lanes.lane import Partition
from consumer.state.keys import full_key
from consumer.state.snapshot import PlacedRecord
from interceptor.delivery import Delivery, StateRecord

Written = tuple[Partition, StateRecord]


class StateWriter:
    """Used by the loop's thread only.

    If the publisher commits offsets with its results, state is published with the outcome, in the same transaction.
    Otherwise it is published once its offset is committed: a snapshot is never ahead of the group's offset. Records are
    kept until the broker has acknowledged them, so that none is lost while a later one is stored.

    Restored state that moves to another partition of the state topic is never ahead. It is published at once, so that
    the broker has it before the next offset is committed.
    """

    def __init__(self, publisher: Publisher, topic: str, group: str) -> None:
        self._publisher = publisher
        self._topic = topic
        self._group = group
        self._places: dict[Partition, int] = {}
        self._committed: list[Written] = []  # at-least-once: of committed deliveries, not yet acknowledged
        self._published = 0  # how many of them, from the first, were handed to the publisher
        self._covered = 0  # how many of them, from the first, are part of the commit in progress

    def restored(self, partition: Partition, place: int) -> None:
        """A partition's state was restored, and is written to this partition of the state topic."""
        self._places[partition] = place

    def dropped(self, partitions: Iterable[Partition]) -> None:
        """Forget partitions that were taken away: their next owner writes their state."""
        gone = set(partitions)
        for partition in gone:
            self._places.pop(partition, None)
        kept = [index for index, (partition, _) in enumerate(self._committed) if partition not in gone]
        self._published = sum(index < self._published for index in kept)
        self._covered = sum(index < self._covered for index in kept)
        self._committed = [self._committed[index] for index in kept]

    def publish_with(self, delivery: Delivery) -> None:
        """Publish the state that goes with the delivery's outcome. Raises as Publisher.publish."""
        if delivery.state:
            partition = delivery.record.topic, delivery.record.partition
            for record in delivery.state:
                if self._publisher.commits_offsets or isinstance(record, PlacedRecord):
                    self._publish(partition, record)

    def committed(self, deliveries: Sequence[Delivery]) -> None:
        """The offsets of these deliveries are committed. Their state is published by `publish_committed`."""
        if self._publisher.commits_offsets:
            return
        for delivery in deliveries:
            partition = delivery.record.topic, delivery.record.partition
            self._committed += [
                (partition, record) for record in delivery.state if not isinstance(record, PlacedRecord)
            ]

    @property
    def has_unacknowledged(self) -> bool:
        """Whether committed state is not yet known to be stored by the broker."""
        return bool(self._committed)

    def publish_committed(self) -> None:
        """Publish what `committed` has added since the last call. Raises as Publisher.publish."""
        while self._published < len(self._committed):
            self._publish(*self._committed[self._published])
            self._published += 1

    def begin_commit(self) -> None:
        """A commit begins: it covers the state that is published now."""
        self._covered = self._published

    def acknowledged(self) -> None:
        """The commit in progress has ended: the broker has stored what was published before it."""
        del self._committed[: self._covered]
        self._published -= self._covered
        self._covered = 0

    def undone(self) -> None:
        """Published records may be lost: publish them again."""
        self._published = self._covered = 0

    def _publish(self, partition: Partition, record: StateRecord) -> None:
        if isinstance(record, PlacedRecord):
            place, key = record.place, record.key
        else:
            place = self._places[partition]
            key = full_key(self._group, partition, record.owner, record.key)
        try:
            self._publisher.publish(self._topic, place, key, record.value, [])
        except RecordRejected as error:
            fix = ". Raise the topic's max.message.bytes" if isinstance(error, RecordTooLarge) else ""
            raise ConsumerError(
                f"the state of {partition[0]}/{partition[1]} cannot be written to {self._topic!r}: {error}{fix}"
            ) from None
