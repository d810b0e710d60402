"""Starts assigned partitions at another offset: Kafka lacks the next one, or their topic was created again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_INVALID,
    OFFSET_STORED,
    Consumer,
    KafkaException,
    Message,
    TopicPartition,
)

from consumer import metrics
from consumer.kafka.message import partition_of
from consumer.lanes.lane import Partition
from fncast.wording.kafka import describe

log = logging.getLogger("fncast.kafka")

OFFSETS_S = 1.0
SAME_CAUSE_S = 60.0  # partitions of a topic that are beyond their end within this time have one cause


class Restarts:
    """Owned by `KafkaSource`, in the loop's thread. The client may reject a restart; `retry` tries it again."""

    def __init__(self, client: Callable[[], Consumer], *, is_eager: bool) -> None:
        """client: returns the current client. is_eager: whether the group replaces its whole assignment."""
        self._client = client
        self.is_eager = is_eager
        # By partition without a position: the offset at which an eager group's client starts it.
        self._start_offsets: dict[Partition, int] = {}
        # By assigned partition: the offset at which it must start again, until the client has accepted that.
        self._pending: dict[Partition, int] = {}
        # Pending partitions that the client has unassigned, and not yet assigned again.
        self._unassigned: set[Partition] = set()
        # Pending partitions that the client failed to restart, and that a log line has named.
        self._rejected: set[Partition] = set()
        # By partition that was beyond its end: when it restarted, on the monotonic clock.
        self._reset_at_s: dict[Partition, float] = {}
        # By partition: the offset that Kafka does not have; below 0 if the group has committed none.
        self._out_of_range: dict[Partition, int] = {}

    def forget(self, partition: Partition) -> None:
        """The partition was assigned, revoked or lost: drop its restart."""
        self._out_of_range.pop(partition, None)
        self._start_offsets.pop(partition, None)
        self._pending.pop(partition, None)
        self._unassigned.discard(partition)
        self._rejected.discard(partition)
        self._reset_at_s.pop(partition, None)

    def clear(self) -> None:
        """A new client has no restarts."""
        for entries in (
            self._out_of_range,
            self._start_offsets,
            self._pending,
            self._unassigned,
            self._rejected,
            self._reset_at_s,
        ):
            entries.clear()

    def add_out_of_range(self, message: Message) -> None:
        """Note the offset that Kafka does not have. message: with the error _AUTO_OFFSET_RESET."""
        offset = message.offset()
        self._out_of_range[partition_of(message)] = -1 if offset is None else offset

    def reset_offsets(self) -> None:
        """Where Kafka does not have the next offset, start with the first record that it has.

        Logs which records are lost. A group that has not committed anything starts there without a log line.
        """
        for partition, offset in list(self._out_of_range.items()):
            start = OFFSET_BEGINNING
            if offset >= 0:
                try:
                    topic_partition = TopicPartition(*partition)
                    first, end = self._client().get_watermark_offsets(topic_partition, OFFSETS_S)
                except KafkaException:
                    continue  # the next poll tries again
                start = first
                was_beyond_end = offset >= first  # perhaps Kafka has got more records since
                is_known = was_beyond_end and self._has_warned_of(partition[0])
                level = logging.INFO if is_known else logging.WARNING
                log.log(level, "%s", out_of_range(partition, offset, first, end))
                metrics.LOST.labels(partition[0]).inc(max(0, first - offset))
                if was_beyond_end:
                    self._reset_at_s[partition] = time.monotonic()
            del self._out_of_range[partition]
            self._pending[partition] = start
        self.retry()

    def _has_warned_of(self, topic: str) -> bool:
        """Whether another partition of the topic was beyond its end just now: one warning is enough for a topic."""
        now_s = time.monotonic()
        resets = self._reset_at_s.items()
        return any(name == topic and now_s - reset_at_s < SAME_CAUSE_S for (name, _), reset_at_s in resets)

    def was_reset(self, partition: Partition, since_s: float) -> bool:
        """Whether the partition's offset was beyond its end, so that reading restarted at its first record.

        since_s: on the monotonic clock.
        """
        return self._reset_at_s.get(partition, float("-inf")) >= since_s

    def read_from_start(self, partitions: Iterable[Partition]) -> None:
        """Read these partitions from their first record: their topic was created again."""
        for partition in partitions:
            self._out_of_range.pop(partition, None)
            self._pending[partition] = OFFSET_BEGINNING
        self.retry()

    def retry(self) -> None:
        """Start the pending partitions at their offsets, and drop their prefetched records.

        `seek` works only while a partition is being fetched.
        """
        if self.is_eager:
            self._replace_assignment()
            return
        client = self._client()
        for partition, offset in list(self._pending.items()):
            restarted = TopicPartition(*partition, offset)
            try:
                if any((p.topic, p.partition) == partition for p in client.assignment()):
                    client.incremental_unassign([restarted])
                    self._unassigned.add(partition)
                if partition in self._unassigned:
                    client.incremental_assign([restarted])
                    self._unassigned.discard(partition)
            except KafkaException as error:
                self._log_rejection(partition, offset, error)  # each poll tries again
            else:  # or it was revoked: its next owner reads it
                del self._pending[partition]
                self._rejected.discard(partition)

    def assign(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        """Assign all partitions of an eager group. Those without a committed offset start at their first record.

        Raises KafkaException if the client rejects the assignment.
        """
        try:
            partitions = client.committed(partitions, OFFSETS_S)
        except KafkaException:
            pass  # the client asks again, and reports those that have none
        for topic_partition in partitions:
            if topic_partition.error is None and topic_partition.offset == OFFSET_INVALID:
                topic_partition.offset = OFFSET_BEGINNING
                self._start_offsets[(topic_partition.topic, topic_partition.partition)] = OFFSET_BEGINNING
        client.assign(partitions)

    def _replace_assignment(self) -> None:
        """Start all pending partitions of an eager group at once: such a group replaces its whole assignment.

        A client that is assigned the same partitions several times within moments may read a record twice.
        """
        if not self._pending:
            return
        client = self._client()
        try:
            positions = client.position(client.assignment())
            client.assign([self._start_or_resume(position) for position in positions])
        except KafkaException as error:
            for partition, offset in self._pending.items():
                self._log_rejection(partition, offset, error)
        else:
            self._pending.clear()
            self._rejected.clear()

    def _start_or_resume(self, position: TopicPartition) -> TopicPartition:
        """Where to start a partition, or to continue it. position: invalid until its next record is read."""
        partition = (position.topic, position.partition)
        if (start := self._pending.get(partition)) is not None:
            self._start_offsets[partition] = start
        elif position.offset >= 0:
            self._start_offsets[partition] = position.offset
        return TopicPartition(*partition, self._start_offsets.get(partition, OFFSET_STORED))

    def _log_rejection(self, partition: Partition, offset: int, error: KafkaException) -> None:
        if partition not in self._rejected:
            self._rejected.add(partition)
            log.info("%s/%d cannot be read from %d yet: %s", *partition, offset, describe(error.args[0]))


def out_of_range(partition: Partition, offset: int, first: int, end: int) -> str:
    """The log line for an offset that Kafka does not have. It has the offsets from `first` to before `end`."""
    topic, number = partition
    if offset < first:
        return (
            f"{topic}/{number}: {first - offset} records are lost: Kafka has deleted offsets {offset} to {first - 1}"
            f" before they were read. Reading continues at offset {first}. If retention deleted them, raise"
            f" retention.ms or retention.bytes of {topic!r}, or start more consumers"
        )
    where = f"is beyond the end of the partition, {end}"
    if offset <= end:
        where = f"was beyond the end of the partition, which is {end} now"
    return (
        f"{topic}/{number}: the group's offset {offset} {where}: the topic was truncated or created again, or the"
        f" offset was set by hand. Reading restarts at offset {first}"
    )
