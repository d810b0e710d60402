"""Where records come from: the adapter over confluent-kafka's Consumer. Every method is called by one thread.

(A second thread that calls a consumer's method starves while the first one polls: seen with confluent-kafka 2.16.)
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

# librdkafka's defaults are 64 MB, more than the rest of the process, and 50 MB for one answer. Over a backlog of
# 200,000 events 16 and 8 MB took 140 MB in all, these 99 MB, in the same time.
MAX_PREFETCH_KB = 4 * 1024
MAX_FETCH_BYTES = 2 * 1024 * 1024
FETCH_BACKOFF_MS = 5  # of a client that has fetched enough ahead; at the default, 1 s, it runs out of records
TOPIC_REFRESH_MS = 10_000  # a topic that is made later is found after this; the default is 5 minutes
COMMITTED_S = 2.0
OFFSETS_S = 1.0
LEAVE_S = 1.0  # the client itself waits up to 5 s for a broker that does not answer
SESSION_TIMEOUT_MS = 10_000  # a killed consumer holds nobody up for longer
# The loop polls all the time. A rebalance waits so long for members that the coordinator takes to be there, and after a
# crash of its own it may remember some of long ago.
POLL_INTERVAL_MS = 60_000

# Errors that the client mends by itself: it reconnects, and topics may be made later.
_PASSING = frozenset(
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


FENCED = "group.instance.id"  # in the text of the error of a static member that another one has replaced


class KafkaSource:
    """Subscribes, polls, pauses and commits. Raises ConsumerError where Kafka refuses for good."""

    def __init__(self, client_properties: Mapping[str, str], group_id: str, instance: str = "") -> None:
        """instance: the name of a static member (KIP-345), which is the same after a restart; empty for none."""
        properties: dict[str, Any] = {
            "log_level": 2,  # as the publisher's
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
            "auto.offset.reset": "error",  # `_begin` chooses the offset, and says which records are lost
            "isolation.level": "read_committed",
            "error_cb": self._on_error,
            "on_commit": self._on_commit,
        }
        if instance:
            properties["group.instance.id"] = instance
        self._logged: set[str] = set()
        self.problem = ""  # the last one, until records come again
        self._commits: deque[Future[None]] = deque()
        self._chosen: dict[
            Partition, int
        ] = {}  # offsets to begin at, of partitions that nothing was read from yet
        self._astray: dict[
            Partition, int
        ] = {}  # by partition the offset that Kafka does not have, below 0 for none
        if properties.get("group.protocol") == "consumer":  # the broker holds these then (KIP-848)
            for name in ("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"):
                del properties[name]
        strategy = str(properties.get("partition.assignment.strategy", "cooperative"))
        self._is_eager = "cooperative" not in strategy  # such a group changes its assignment as a whole
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
                if client is self._consumer:  # not one that `replace_client` has closed
                    named = [(p.topic, p.partition) for p in partitions]
                    for partition in named:
                        self._astray.pop(partition, None)
                        self._chosen.pop(partition, None)
                    callback(named)

            return called

        self._join = lambda: self._consumer.subscribe(
            list(topics), on_assign=plain(on_assign), on_revoke=plain(on_revoke), on_lost=plain(on_lost)
        )
        self._join()

    def is_cut_off(self) -> bool:
        """Whether this client does not find its way to Kafka any more. Asks for up to two seconds behind an outage."""
        return self._connection.is_lost(self._consumer)

    def replace_client(self) -> None:
        """Join the group with a new client, for one that holds no partitions and gets none.

        Ends the commits under way with a CommitFailed."""
        old, self._consumer = self._consumer, self._create_client()
        commits, self._commits = self._commits, deque()
        for commit in commits:
            commit.set_exception(CommitFailed("a new client has joined the group"))
        self._astray.clear()
        self._join()
        # Nobody waits for its end: what hinders it to join may hinder it to leave.
        threading.Thread(target=old.close, name="leave", daemon=True).start()

    def poll(self, most: int, timeout_s: float) -> list[Record]:
        """Up to `most` records: what is there at once, or else the first to come within `timeout_s`."""
        with map_kafka_errors(failing_as("reading from Kafka failed")):
            messages = self._consumer.consume(most, 0)
            if not messages and timeout_s > 0:
                messages = self._consumer.consume(1, timeout_s)
                if messages and most > 1:
                    messages += self._consumer.consume(most - 1, 0)
        records = [record(message) for message in messages if message.error() is None or self._tell(message)]
        if self._astray:
            self._begin()
        return records

    def _tell(self, message: Message) -> bool:
        """Heed the error that stands in a record's place. Returns that it is no record."""
        error = message.error()
        if error is not None and error.code() == KafkaError._AUTO_OFFSET_RESET:
            offset = message.offset()
            self._astray[str(message.topic()), message.partition() or 0] = -1 if offset is None else offset
        elif error is not None:
            self._on_error(error)
        return False

    def _begin(self) -> None:
        """Begin with the first record that there is where Kafka does not have the next offset to read.

        A group that has committed nothing begins there without a word."""
        for partition, offset in list(self._astray.items()):
            start = OFFSET_BEGINNING
            if offset >= 0:
                try:
                    first, end = self._consumer.get_watermark_offsets(TopicPartition(*partition), OFFSETS_S)
                except KafkaException:
                    continue  # asked again with the next poll
                start = first
                log.warning("%s", out_of_range(partition, offset, first, end))
                metrics.LOST.labels(partition[0]).inc(max(0, first - offset))
            del self._astray[partition]
            self._read_from(partition, start)

    def read_from_start(self, partitions: Iterable[Partition]) -> None:
        """Read these partitions from their first record on: they are not the ones that were read so far."""
        for partition in partitions:
            self._astray.pop(partition, None)
            self._read_from(partition, OFFSET_BEGINNING)

    def _read_from(self, partition: Partition, offset: int) -> None:
        """What was fetched ahead is dropped. Kafka's `seek` works only for a partition that is fetched from."""
        place = TopicPartition(*partition, offset)
        try:
            if self._is_eager:
                self._chosen[partition] = offset
                assigned = self._consumer.position(self._consumer.assignment())
                self._consumer.assign([self._stands_at(p, partition) for p in assigned])
            else:
                self._consumer.incremental_unassign([place])
                self._consumer.incremental_assign([place])
        except KafkaException as error:  # it was revoked: its next owner begins
            log.debug("%s/%d cannot be read from %d: %s", *partition, offset, error)

    def _stands_at(self, position: TopicPartition, moved: Partition) -> TopicPartition:
        """Where a partition is read on when the assignment is replaced as a whole, of which one is `moved`."""
        partition = (position.topic, position.partition)
        if partition != moved and position.offset >= 0:
            return position
        return TopicPartition(*partition, self._chosen.get(partition, OFFSET_STORED))

    def _on_error(self, error: KafkaError) -> None:
        self._connection.on_error(error)
        if error.fatal() or error.code() == KafkaError._FATAL:
            raise self._end(error)
        is_groups = error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED
        if is_groups and (denied := authorization_error(error, [self._properties["group.id"]])):
            raise denied
        known = words(error)
        if known not in self._logged:  # once until something is read again: a dead broker repeats itself
            self._logged.add(known)
            self.problem = known
            log.warning("Kafka: %s%s", known, "; waiting for it" if error.code() in _PASSING else "")

    def _end(self, error: KafkaError) -> ConsumerError:
        """The sentence of an error that no call of this client outlives."""
        if (instance := self._properties.get("group.instance.id")) and FENCED in error.str():
            return ConsumerError(
                f"another consumer has joined the group {self._properties['group.id']!r} under this one's name,"
                f" {instance!r}: give each its own `instance` in [kafka]"
            )
        return ConsumerError(f"Kafka's client gives up: {words(error)}")

    def clear_problem(self) -> None:
        """Records arrive again: the next trouble is news."""
        self._logged.clear()
        self.problem = ""

    def pause(self, partitions: Iterable[Partition]) -> None:
        self._consumer.pause([TopicPartition(*partition) for partition in partitions])

    def resume(self, partitions: Iterable[Partition]) -> None:
        self._consumer.resume([TopicPartition(*partition) for partition in partitions])

    def commit(self, offsets: Mapping[Partition, int]) -> Future[None]:
        """Commit the next offsets to read. The future is done inside a later `poll`, perhaps with a CommitFailed."""
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
        """Commit and wait for it: for callbacks of a rebalance, which run inside `poll`. Raises CommitFailed."""
        with map_kafka_errors(commit_error):
            self._consumer.commit(offsets=topic_partitions(offsets), asynchronous=False)

    def committed(self, partitions: Iterable[Partition], within_s: float) -> dict[Partition, int] | None:
        """The group's committed offsets, negative where there is none; None where the broker does not tell now.

        A client that reads committed records asks for stable offsets: none of a transaction that is still open.
        """
        try:
            answers = self._consumer.committed([TopicPartition(*p) for p in partitions], within_s)
        except KafkaException:
            return None
        if any(answer.error is not None for answer in answers):
            return None
        return {(answer.topic, answer.partition): answer.offset for answer in answers}

    def group_metadata(self) -> Any | None:
        """What fences a zombie's transaction, taken anew for each one. None where the client is no member just now.

        It ceases to be one before `poll` tells so, and the broker takes offsets without a member's id unchecked.
        """
        metadata = self._consumer.consumer_group_metadata()
        return metadata if self.is_member else None

    @property
    def is_member(self) -> bool:
        """Of the group, with partitions or without. A client of KIP-848 names itself: it is one at once."""
        return bool(self._consumer.memberid())

    def position(self, partition: Partition) -> int | None:
        """The offset behind the last record that `poll` gave; None where it gave none."""
        (position,) = self._consumer.position([TopicPartition(*partition)])
        return position.offset if position.offset >= 0 else None

    def end(self, partition: Partition) -> int | None:
        """The offset behind the last record, as of the last fetch."""
        _, high = self._consumer.get_watermark_offsets(TopicPartition(*partition), cached=True)
        return high if high >= 0 else None

    def close(self) -> None:
        """Leave the group. A broker that does not answer lets this member go when its session ends."""
        leaving = threading.Thread(target=self._consumer.close, name="leave", daemon=True)
        leaving.start()
        leaving.join(LEAVE_S)


def record(message: Message) -> Record:
    """A message without error; the driver's types leave more open than such a message does."""
    kind = Record
    try:
        headers = message.headers() or []
    except (SystemError, UnicodeDecodeError):  # the driver decodes names as UTF-8, Kafka does not ask for it
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
    """What it means that the partition does not have the offset: it has those from `first` up to `end` without it."""
    topic, number = partition
    if offset < first:
        return (
            f"{topic}/{number}: {first - offset} records are lost: Kafka has deleted offsets {offset} to {first - 1}"
            f" before they were read. Reading goes on at offset {first}. If retention deleted them, raise"
            f" retention.ms or retention.bytes of {topic!r}, or start more consumers"
        )
    return (
        f"{topic}/{number}: the group's offset {offset} is beyond the end of the partition, {end}: the topic was"
        f" truncated or created again, or the offset was set by hand. Reading begins again at offset {first}"
    )


def commit_error(cause: KafkaError) -> Exception:
    """What a refused commit means: try later, or, where the group may not be used at all, never."""
    if cause.code() in (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED):
        return ConsumerError(f"the broker lets fncast commit no offsets: {words(cause)}")
    return CommitFailed(words(cause))


def topic_partitions(offsets: Mapping[Partition, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]
