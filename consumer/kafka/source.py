"""Reads records from Kafka: the adapter over confluent-kafka's Consumer.

One thread calls every method. A second thread that calls a method of a confluent-kafka consumer starves while the first
one polls.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_STORED,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from consumer import metrics
from consumer.errors import CommitFailed, ConsumerError
from consumer.kafka.authorization import authorization_error
from consumer.kafka.connection import Connection
from consumer.kafka.errors import create_client, failing_as, map_kafka_errors
from consumer.lane import Partition
from fncast.wording.kafka import words
from interceptor.delivery import Record, UnreadableRecord

log = logging.getLogger("fncast.kafka")

# librdkafka's defaults of 64 MB, and 50 MB for one response, take more memory than the rest of the process.
MAX_PREFETCH_KB = 4 * 1024
MAX_FETCH_BYTES = 2 * 1024 * 1024
FETCH_BACKOFF_MS = (
    5  # pause once enough is prefetched; with the default of 1 s the client runs out of records
)
TOPIC_REFRESH_MS = 10_000  # a topic that is created later is found after this; the default is 5 minutes
COMMITTED_S = 2.0
OFFSETS_S = 1.0
LEAVE_S = 1.0  # the client itself waits up to 5 s for a broker that does not answer
SESSION_TIMEOUT_MS = 10_000  # the longest that a killed consumer keeps its partitions
# The loop polls all the time. A rebalance waits this long for members that no longer exist: after a crash, the
# coordinator can remember such members.
POLL_INTERVAL_MS = 60_000

# Errors that the client recovers from: it reconnects, and topics may be created later.
_TEMPORARY = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TRANSPORT,
        KafkaError._RESOLVE,
        KafkaError._TIMED_OUT,
        KafkaError._MAX_POLL_EXCEEDED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.LEADER_NOT_AVAILABLE,
    }
)
FENCED = "group.instance.id"  # in the error of a static member that another one has replaced


class KafkaSource:
    """Subscribes, polls, pauses and commits. Owned by the loop's thread. Raises ConsumerError for permanent errors.

    problem: the last error, until records arrive again.
    """

    def __init__(self, client_properties: Mapping[str, str], group_id: str, instance: str = "") -> None:
        """instance: the name of a static member (KIP-345), the same after a restart; empty for a dynamic member."""
        properties: dict[str, Any] = {
            "log_level": 2,  # at 3, librdkafka logs each attempt to reach a broker that is down
            "queued.max.messages.kbytes": MAX_PREFETCH_KB,
            "fetch.max.bytes": MAX_FETCH_BYTES,
            "fetch.queue.backoff.ms": FETCH_BACKOFF_MS,
            "topic.metadata.refresh.interval.ms": TOPIC_REFRESH_MS,
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": SESSION_TIMEOUT_MS,
            "heartbeat.interval.ms": SESSION_TIMEOUT_MS // 5,
            "max.poll.interval.ms": POLL_INTERVAL_MS,
            **client_properties,
            "group.id": group_id,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",  # `_reset_offsets` chooses the offset, and logs which records are lost
            "isolation.level": "read_committed",
            "error_cb": self._on_error,
            "on_commit": self._on_commit,
        }
        if instance:
            properties["group.instance.id"] = instance
        self._logged: set[str] = set()
        self.problem = ""
        self._commits: deque[Future[None]] = deque()
        # Where to start, for partitions that nothing was read from yet.
        self._start_offsets: dict[Partition, int] = {}
        # Where assigned partitions must start again, until the client has accepted it.
        self._restarts: dict[Partition, int] = {}
        self._unassigned: set[Partition] = set()  # restarts of which the client has accepted the first half
        # The offset that Kafka does not have; below 0 if the group has none.
        self._out_of_range: dict[Partition, int] = {}
        if properties.get("group.protocol") == "consumer":  # the broker configures these (KIP-848)
            for name in ("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"):
                del properties[name]
        strategy = str(properties.get("partition.assignment.strategy", "cooperative"))
        self._is_eager = "cooperative" not in strategy  # such a group replaces its whole assignment
        self._properties = properties
        self._connection = Connection(client_properties)
        self._consumer = self._create_client()
        self._join: Callable[[], None] = lambda: None

    def _create_client(self) -> Consumer:
        return create_client(Consumer, self._properties, logger=log)

    def subscribe(
        self,
        topics: Sequence[str],
        on_assign: Callable[[list[Partition]], None],
        on_revoke: Callable[[list[Partition]], None],
        on_lost: Callable[[list[Partition]], None],
    ) -> None:
        """Join the group. The callbacks run inside `poll`."""

        def plain(callback: Callable[[list[Partition]], None]) -> Callable[[Consumer, Any], None]:
            def called(client: Consumer, partitions: list[TopicPartition]) -> None:
                if client is self._consumer:  # `replace_client` closes the old client in the background
                    named = [(p.topic, p.partition) for p in partitions]
                    for partition in named:
                        self._out_of_range.pop(partition, None)
                        self._start_offsets.pop(partition, None)
                        self._restarts.pop(partition, None)
                        self._unassigned.discard(partition)
                    callback(named)

            return called

        self._join = lambda: self._consumer.subscribe(
            list(topics), on_assign=plain(on_assign), on_revoke=plain(on_revoke), on_lost=plain(on_lost)
        )
        self._join()

    def is_cut_off(self) -> bool:
        """Whether this client has lost its connection for good. After an outage this takes up to two seconds."""
        return self._connection.is_lost(self._consumer)

    def replace_client(self) -> None:
        """Join the group with a new client, if the old one has no partitions and gets none.

        Commits in progress fail with CommitFailed.
        """
        old, self._consumer = self._consumer, self._create_client()
        commits, self._commits = self._commits, deque()
        for commit in commits:
            commit.set_exception(CommitFailed("a new client has joined the group"))
        for kept in (self._out_of_range, self._restarts, self._unassigned):
            kept.clear()
        self._join()
        # Do not wait: a client that cannot join may not be able to leave either.
        threading.Thread(target=old.close, name="leave", daemon=True).start()

    def poll(self, most: int, timeout_s: float) -> list[Record]:
        """Up to `most` records: those that are there, else the first that arrive within `timeout_s`."""
        if self._restarts:
            self._restart()
        with map_kafka_errors(failing_as("reading from Kafka failed")):
            messages = self._consumer.consume(most, 0)
            if not messages and timeout_s > 0:
                messages = self._consumer.consume(1, timeout_s)
                if messages and most > 1:
                    messages += self._consumer.consume(most - 1, 0)
        records = [
            record(message)
            for message in messages
            if message.error() is None or self._handle_error_event(message)
        ]
        if self._out_of_range:
            self._reset_offsets()
        return records

    def _handle_error_event(self, message: Message) -> bool:
        """Handle an error event returned by poll(). Returns False: it is not a record."""
        error = message.error()
        if error is not None and error.code() == KafkaError._AUTO_OFFSET_RESET:
            offset = message.offset()
            self._out_of_range[str(message.topic()), message.partition() or 0] = (
                -1 if offset is None else offset
            )
        elif error is not None:
            self._on_error(error)
        return False

    def _reset_offsets(self) -> None:
        """Where Kafka does not have the next offset, start with the first record that it has.

        Logs which records are lost. A group that has not committed anything starts there without a log line.
        """
        for partition, offset in list(self._out_of_range.items()):
            start = OFFSET_BEGINNING
            if offset >= 0:
                try:
                    first, end = self._consumer.get_watermark_offsets(TopicPartition(*partition), OFFSETS_S)
                except KafkaException:
                    continue  # the next poll tries again
                start = first
                log.warning("%s", out_of_range(partition, offset, first, end))
                metrics.LOST.labels(partition[0]).inc(max(0, first - offset))
            del self._out_of_range[partition]
            self._read_from(partition, start)

    def read_from_start(self, partitions: Iterable[Partition]) -> None:
        """Read these partitions from their first record: their topic was created again."""
        for partition in partitions:
            self._out_of_range.pop(partition, None)
            self._restarts[partition] = OFFSET_BEGINNING
        self._restart()

    def _read_from(self, partition: Partition, offset: int) -> None:
        """Drop prefetched records and read from the offset; `poll` tries again what the client refuses now."""
        self._restarts[partition] = offset
        self._restart()

    def _restart(self) -> None:
        """Start partitions at another offset. `seek` works only while a partition is being fetched."""
        for partition, offset in list(self._restarts.items()):
            place = TopicPartition(*partition, offset)
            try:
                assigned = self._consumer.assignment()
                is_assigned = any((p.topic, p.partition) == partition for p in assigned)
                if self._is_eager and is_assigned:
                    self._start_offsets[partition] = offset
                    positions = self._consumer.position(assigned)
                    self._consumer.assign([self._resume_position(p, partition) for p in positions])
                elif not self._is_eager:
                    if is_assigned:
                        self._consumer.incremental_unassign([place])
                        self._unassigned.add(partition)
                    if partition in self._unassigned:
                        self._consumer.incremental_assign([place])
                        self._unassigned.discard(partition)
            except KafkaException as error:
                log.info("%s/%d cannot be read from %d yet: %s", *partition, offset, words(error.args[0]))
            else:  # or it was revoked: its next owner reads it
                del self._restarts[partition]

    def _resume_position(self, position: TopicPartition, moved: Partition) -> TopicPartition:
        """Where to continue a partition when the whole assignment is replaced to move one partition."""
        partition = (position.topic, position.partition)
        if partition != moved and position.offset >= 0:
            return position
        return TopicPartition(*partition, self._start_offsets.get(partition, OFFSET_STORED))

    def _on_error(self, error: KafkaError) -> None:
        self._connection.on_error(error)
        if error.fatal() or error.code() == KafkaError._FATAL:
            raise self._fatal_error(error)
        is_group_denied = error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED
        if is_group_denied and (denied := authorization_error(error, [self._properties["group.id"]])):
            raise denied
        reason = words(error)
        if (
            reason not in self._logged
        ):  # log it once until records arrive: a broker that is down repeats its errors
            self._logged.add(reason)
            self.problem = reason
            log.warning("Kafka: %s%s", reason, "; waiting for it" if error.code() in _TEMPORARY else "")

    def _fatal_error(self, error: KafkaError) -> ConsumerError:
        """The error after which this client does not work any more."""
        if (instance := self._properties.get("group.instance.id")) and FENCED in error.str():
            return ConsumerError(
                f"another consumer has joined the group {self._properties['group.id']!r} under this one's name,"
                f" {instance!r}: give each its own `instance` in [kafka]"
            )
        return ConsumerError(f"Kafka's client gives up: {words(error)}")

    def clear_problem(self) -> None:
        """Records arrive again: log the next problem."""
        self._logged.clear()
        self.problem = ""

    def pause(self, partitions: Iterable[Partition]) -> None:
        self._consumer.pause([TopicPartition(*partition) for partition in partitions])

    def resume(self, partitions: Iterable[Partition]) -> None:
        self._consumer.resume([TopicPartition(*partition) for partition in partitions])

    def commit(self, offsets: Mapping[Partition, int]) -> Future[None]:
        """Commit the next offsets to read. A later `poll` completes the future, perhaps with CommitFailed."""
        done: Future[None] = Future()
        try:
            self._consumer.commit(offsets=topic_partitions(offsets), asynchronous=True)
        except KafkaException as error:
            done.set_exception(commit_error(error.args[0]))
        else:
            self._commits.append(done)
        return done

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        if not self._commits:
            return
        done = self._commits.popleft()
        error = error or next((p.error for p in partitions if p.error is not None), None)
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(commit_error(error))

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
        """The tokens of the commits that the group's offsets are of; None if the broker does not answer now."""
        answers = self._committed(partitions, within_s)
        return None if answers is None else {answer.metadata for answer in answers if answer.metadata}

    def _committed(self, partitions: Iterable[Partition], within_s: float) -> list[TopicPartition] | None:
        try:
            answers = self._consumer.committed([TopicPartition(*p) for p in partitions], within_s)
        except KafkaException:
            return None
        return None if any(answer.error is not None for answer in answers) else answers

    def group_metadata(self) -> Any | None:
        """The group metadata that fences a zombie's transaction; new for each one. None if the client is not a member.

        The membership ends before `poll` reports it, and the broker accepts offsets without a member id unchecked.
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

    def close(self) -> None:
        """Leave the group. If the broker does not answer, the membership ends with its session."""
        leaving = threading.Thread(target=self._consumer.close, name="leave", daemon=True)
        leaving.start()
        leaving.join(LEAVE_S)


def record(message: Message) -> Record:
    """Convert a message without error. The driver's types allow None where such a message has a value."""
    kind = Record
    try:
        headers = message.headers() or []
    except (
        SystemError,
        UnicodeDecodeError,
    ):  # the driver decodes header names as UTF-8, Kafka does not require it
        kind, headers = UnreadableRecord, []
    return kind(
        message.topic(),  # type: ignore[arg-type]
        message.partition(),  # type: ignore[arg-type]
        message.offset(),  # type: ignore[arg-type]
        message.timestamp()[1],
        message.key(),
        message.value(),
        headers,  # type: ignore[arg-type]
    )


def out_of_range(partition: Partition, offset: int, first: int, end: int) -> str:
    """The log line for an offset that Kafka does not have. It has the offsets from `first` to before `end`."""
    topic, number = partition
    if offset < first:
        return (
            f"{topic}/{number}: {first - offset} records are lost: Kafka has deleted offsets {offset} to {first - 1}"
            f" before they were read. Reading continues at offset {first}. If retention deleted them, raise"
            f" retention.ms or retention.bytes of {topic!r}, or start more consumers"
        )
    return (
        f"{topic}/{number}: the group's offset {offset} is beyond the end of the partition, {end}: the topic was"
        f" truncated or created again, or the offset was set by hand. Reading restarts at offset {first}"
    )


def commit_error(cause: KafkaError) -> Exception:
    """The error of a failed commit: CommitFailed to try later, or ConsumerError if access is denied."""
    if cause.code() in (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED):
        return ConsumerError(f"the broker does not let fncast commit offsets: {words(cause)}")
    return CommitFailed(words(cause))


def topic_partitions(offsets: Mapping[Partition, int], token: str = "") -> list[TopicPartition]:
    """token: stored with the offsets."""
    return [TopicPartition(topic, partition, offset, token) for (topic, partition), offset in offsets.items()]
