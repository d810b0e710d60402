"""Reads records from Kafka: the adapter over confluent-kafka's Consumer.

One thread calls every method. A second thread that calls a method of a confluent-kafka consumer starves while the first
one polls.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumer.kafka.connection import Connection
from consumer.kafka.errors import create_client, failing_as, map_kafka_errors
from consumer.kafka.message import partition_of, to_record
from consumer.kafka.source.errors import SourceErrors
from consumer.kafka.source.offset_commits import OffsetCommits, commit_error, topic_partitions
from consumer.kafka.source.properties import is_eager, source_properties
from consumer.kafka.source.restarts import Restarts
from consumer.lanes.lane import Partition
from interceptor.delivery import Record

log = logging.getLogger("fncast.kafka")

COMMITTED_S = 2.0  # for a caller that asks for committed offsets
LEAVE_S = 1.0  # the client itself waits up to 5 s for a broker that does not answer


class KafkaSource:
    """Subscribes, polls, pauses and commits. Owned by the loop's thread. Raises ConsumerError for permanent errors."""

    def __init__(self, client_properties: Mapping[str, str], group_id: str, instance: str = "") -> None:
        """instance: the name of a static member (KIP-345), the same after a restart; empty for a dynamic member."""
        properties = source_properties(client_properties, group_id, instance)
        properties |= {"error_cb": self._on_error}
        self._ends: dict[Partition, int] = {}  # by partition, the offset at which it was last read to its end
        self._errors = SourceErrors(group_id, properties.get("group.instance.id", ""))
        self._restarts = Restarts(lambda: self._consumer, is_eager=is_eager(properties))
        self._properties = properties
        self._connection = Connection(client_properties)
        self._consumer = self._create_client()
        self._join: Callable[[], None] = lambda: None

    def _create_client(self) -> Consumer:
        # A client that was replaced may still get answers, which must not complete commits of the new client.
        self._commits = OffsetCommits()
        return create_client(Consumer, self._properties | {"on_commit": self._commits.answered}, logger=log)

    def subscribe(
        self,
        topics: Sequence[str],
        on_assign: Callable[[list[Partition]], None],
        on_revoke: Callable[[list[Partition]], None],
        on_lost: Callable[[list[Partition]], None],
    ) -> None:
        """Join the group. The callbacks run inside `poll`."""

        def for_client(callback: Callable[[list[Partition]], None]) -> Callable[[Consumer, Any], None]:
            """A callback as the client takes it."""

            def call(client: Consumer, topic_partitions: list[TopicPartition]) -> None:
                if client is self._consumer:  # `replace_client` closes the old client in the background
                    partitions = [(p.topic, p.partition) for p in topic_partitions]
                    for partition in partitions:
                        self._restarts.forget(partition)
                        self._ends.pop(partition, None)
                    callback(partitions)

            return call

        def assigned(client: Consumer, partitions: list[TopicPartition]) -> None:
            for_client(on_assign)(client, partitions)
            if self._restarts.is_eager and client is self._consumer:
                self._restarts.assign(client, partitions)

        self._join = lambda: self._consumer.subscribe(
            list(topics), on_assign=assigned, on_revoke=for_client(on_revoke), on_lost=for_client(on_lost)
        )
        self._join()

    def is_cut_off(self) -> bool:
        """Whether this client has lost its connection for good. After an outage this takes up to two seconds."""
        return self._connection.is_lost(self._consumer)

    def replace_client(self) -> None:
        """Join the group with a new client. The caller has dropped the partitions of the current client.

        Commits in progress fail with CommitFailed.
        """
        old, commits = self._consumer, self._commits
        self._consumer = self._create_client()
        commits.fail_all("a new client has joined the group")
        self._restarts.clear()
        self._ends.clear()
        self._join()
        # Do not wait: a client that cannot join may not be able to leave either.
        threading.Thread(target=old.close, name="leave", daemon=True).start()

    def poll(self, most: int, timeout_s: float) -> list[Record]:
        """Up to `most` records: those that are there, else the first that arrive within `timeout_s`."""
        self._restarts.retry()
        with map_kafka_errors(failing_as("reading from Kafka failed")):
            messages = self._consumer.consume(most, 0)
            if not messages and timeout_s > 0:
                messages = self._consumer.consume(1, timeout_s)
                if messages and most > 1:
                    messages += self._consumer.consume(most - 1, 0)
        records = [
            to_record(message)
            for message in messages
            if message.error() is None or self._handle_error_event(message)
        ]
        self._restarts.reset_offsets()
        return records

    def _handle_error_event(self, message: Message) -> bool:
        """Handle an error event returned by poll(). Returns False: it is not a record."""
        error = message.error()
        code = error.code() if error is not None else None
        if code == KafkaError._PARTITION_EOF:
            self._ends[partition_of(message)] = message.offset() or 0
        elif code == KafkaError._AUTO_OFFSET_RESET:
            self._ends.pop(partition_of(message), None)
            self._restarts.add_out_of_range(message)
        elif error is not None:
            self._on_error(error)
        return False

    def was_reset(self, partition: Partition, since_s: float) -> bool:
        """Whether the partition's offset was beyond its end, so that reading restarted at its first record.

        since_s: on the monotonic clock.
        """
        return self._restarts.was_reset(partition, since_s)

    def read_from_start(self, partitions: Iterable[Partition]) -> None:
        """Read these partitions from their first record: their topic was created again."""
        for partition in partitions:
            self._ends.pop(partition, None)
        self._restarts.read_from_start(partitions)

    def _on_error(self, error: KafkaError) -> None:
        self._connection.on_error(error)
        self._errors.handle(error)

    @property
    def problem(self) -> str:
        """The client's last error, until `clear_problem`; empty if there is none."""
        return self._errors.problem

    def clear_problem(self) -> None:
        """Records arrive again: log the next problem."""
        self._errors.clear()

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Return no more records of these partitions until `resume`."""
        self._consumer.pause([TopicPartition(*partition) for partition in partitions])

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Return records of these partitions again."""
        self._consumer.resume([TopicPartition(*partition) for partition in partitions])

    def commit(self, offsets: Mapping[Partition, int]) -> Future[None]:
        """Commit the next offsets to read. A later `poll` completes the future, perhaps with CommitFailed."""
        return self._commits.begin(self._consumer, offsets)

    def commit_now(self, offsets: Mapping[Partition, int]) -> None:
        """Commit and wait: for the callbacks of a rebalance, which run inside `poll`. Raises CommitFailed."""
        with map_kafka_errors(commit_error):
            self._consumer.commit(offsets=topic_partitions(offsets), asynchronous=False)

    def committed(self, partitions: Iterable[Partition], within_s: float) -> dict[Partition, int] | None:
        """The group's committed offsets, negative if there is none; None if the broker does not answer now.

        With read_committed the client asks for stable offsets: the broker answers once open transactions have ended.
        """
        answers = self._committed(partitions, within_s)
        if answers is None:
            return None
        return {(answer.topic, answer.partition): answer.offset for answer in answers}

    def committed_tokens(self, partitions: Iterable[Partition], within_s: float) -> set[str] | None:
        """The tokens stored with the group's committed offsets; None if the broker does not answer now."""
        answers = self._committed(partitions, within_s)
        return None if answers is None else {answer.metadata for answer in answers if answer.metadata}

    def _committed(self, partitions: Iterable[Partition], within_s: float) -> list[TopicPartition] | None:
        try:
            answers = self._consumer.committed([TopicPartition(*p) for p in partitions], within_s)
        except KafkaException:
            return None
        return None if any(answer.error is not None for answer in answers) else answers

    def group_metadata(self) -> Any | None:
        """The group metadata that fences a zombie's transaction. None if the client is not a member.

        Ask for it before each transaction. The membership can end before `poll` reports that, and the broker accepts
        offsets without a member id unchecked.
        """
        metadata = self._consumer.consumer_group_metadata()
        return metadata if self.is_member else None

    @property
    def is_member(self) -> bool:
        """Whether the client is in the group, with or without partitions. Under KIP-848 this is true at once."""
        return bool(self._consumer.memberid())

    def position(self, partition: Partition) -> int | None:
        """The offset after the last record that `poll` returned; None if there was none."""
        (position,) = self._consumer.position([TopicPartition(*partition)])
        return position.offset if position.offset >= 0 else None

    def end(self, partition: Partition) -> int | None:
        """The offset after the last record in Kafka, as of the last fetch."""
        _, high = self._consumer.get_watermark_offsets(TopicPartition(*partition), cached=True)
        return high if high >= 0 else None

    def is_at_end(self, partition: Partition, last_offset: int) -> bool:
        """Whether Kafka had no more records for this reader, as of the last fetch. last_offset: of the last record.

        Records of an open transaction count as unwritten.
        """
        return self._ends.get(partition, -1) > last_offset

    def close(self) -> None:
        """Leave the group. If the broker does not answer, the membership ends with its session."""
        leaving = threading.Thread(target=self._consumer.close, name="leave", daemon=True)
        leaving.start()
        leaving.join(LEAVE_S)
