"""The partitions that a reader reads, and its offset in each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from confluent_kafka import Consumer, TopicPartition

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.kafka.offsets import from_beginning, near_end

Partition = tuple[str, int]  # topic and number


class Partitions:
    """Assigns partitions to a Kafka client, and counts its offsets, so that another client can continue.

    Used by the reader's thread.
    """

    def __init__(self, history: int | None, max_lag: int | None) -> None:
        """history, max_lag: see TopicReader."""
        self._history = history
        self._max_lag = max_lag
        self._live_from: dict[Partition, int] = {}  # the offset from which its records are live
        self._next: dict[Partition, int] = {}  # the offset to read next
        self._has_started = False

    def __len__(self) -> int:
        """How many partitions are assigned."""
        return len(self._live_from)

    def update(self, consumer: Consumer, found: Sequence[Partition]) -> None:
        """Assign new partitions, unassign those that are gone. found: all that exist.

        A partition that appears later is read from its first record. Raises KafkaException if the broker does not
        answer.
        """
        new = [partition for partition in found if partition not in self._live_from]
        self._remove(consumer, [partition for partition in self._live_from if partition not in found])
        starts: dict[Partition, tuple[TopicPartition, int]] = {}
        for partition in new:
            if self._has_started or self._history is None:
                starts[partition] = from_beginning(partition), 0
            else:
                starts[partition] = near_end(consumer, partition, self._history)
        if starts:
            consumer.incremental_assign([start for start, _ in starts.values()])
        for partition, (start, live_from) in starts.items():
            self._live_from[partition], self._next[partition] = live_from, start.offset
        self._has_started = True

    def remove_topic(self, consumer: Consumer, topic: str) -> None:
        """Unassign the partitions of a topic."""
        self._remove(consumer, [partition for partition in self._live_from if partition[0] == topic])

    def continue_with(self, consumer: Consumer) -> None:
        """Assign all partitions to a new client, at the counted offsets."""
        if self._next:
            consumer.incremental_assign(
                [TopicPartition(*partition, offset) for partition, offset in self._next.items()]
            )

    def is_live(self, partition: Partition, offset: int) -> bool:
        """Whether a record was written after the reader started."""
        return offset >= self._live_from.get(partition, 0)

    def count(self, records: Sequence[ReceivedRecord]) -> None:
        """Count the records of a batch as read."""
        for record in records:
            self._next[record.topic, record.partition] = record.offset + 1

    def keep_up(self, consumer: Consumer) -> int:
        """Skip records beyond `max_lag`, so that the page shows the present. Returns how many were skipped."""
        if self._max_lag is None:
            return 0
        skipped = 0
        for position in consumer.position([TopicPartition(*partition) for partition in self._live_from]):
            low, high = consumer.get_watermark_offsets(position, cached=True)
            if position.offset >= 0 and high - position.offset > self._max_lag:
                start = max(low, high - (self._history or 0))
                consumer.seek(TopicPartition(position.topic, position.partition, start))
                self._next[position.topic, position.partition] = start
                skipped += start - position.offset
        return skipped

    def _remove(self, consumer: Consumer, partitions: Collection[Partition]) -> None:
        if partitions:
            consumer.incremental_unassign([TopicPartition(*partition) for partition in partitions])
        for partition in partitions:
            del self._live_from[partition], self._next[partition]
