"""Where records come from: the adapter over confluent-kafka's Consumer. Every method is called by one thread.

(A second thread that calls a consumer's method starves while the first one polls: seen with confluent-kafka 2.16.)
"""

from __future__ import annotations

import logging
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumer.connection import Connection
from consumer.denial import denial
from consumer.errors import CommitFailed, ConsumerError
from consumer.lane import Partition
from interceptor.delivery import Record, UnreadableRecord

log = logging.getLogger("fncast.kafka")

# librdkafka's defaults are 64 MB, more than the rest of the process, and 50 MB for one answer. Over a backlog of
# 200,000 events 16 and 8 MB took 140 MB in all, these 99 MB, in the same time.
MAX_PREFETCH_KB = 4 * 1024
MAX_FETCH_BYTES = 2 * 1024 * 1024
FETCH_BACKOFF_MS = 5  # of a client that has fetched enough ahead; at the default, 1 s, it runs out of records
TOPIC_REFRESH_MS = 10_000  # a topic that is made later is found after this; the default is 5 minutes
LEAVE_S = 1.0  # the client itself waits up to 5 s for a broker that does not answer
SESSION_TIMEOUT_MS = 10_000  # a killed consumer holds nobody up for longer
# The loop polls all the time. A rebalance waits so long for members that the coordinator takes to be there, and after a
# crash of its own it may remember some of long ago.
POLL_INTERVAL_MS = 60_000

# How long it took, and how often it was so before: another each time.
_TOOK = re.compile(r" \(after \d+ms .*\)\Z")

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


class KafkaSource:
    """Subscribes, polls, pauses and commits. Raises ConsumerError where Kafka refuses for good."""

    def __init__(self, client_properties: Mapping[str, str], group_id: str) -> None:
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
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "error_cb": self._on_error,
            "on_commit": self._on_commit,
        }
        self._told: set[str] = set()
        self._commits: deque[Future[None]] = deque()
        if properties.get("group.protocol") == "consumer":  # the broker holds these then (KIP-848)
            for name in ("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"):
                del properties[name]
        self._properties = properties
        self._connection = Connection(client_properties)
        self._consumer = self._make()
        self._join: Callable[[], None] = lambda: None

    def _make(self) -> Consumer:
        try:
            return Consumer(self._properties, logger=log)
        except (KafkaException, ValueError, TypeError) as error:
            raise ConsumerError(f"Kafka's client refuses the settings: {text(error)}") from None

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
                if client is self._consumer:  # not one that `renew` has put away
                    callback([(p.topic, p.partition) for p in partitions])

            return called

        self._join = lambda: self._consumer.subscribe(
            list(topics), on_assign=plain(on_assign), on_revoke=plain(on_revoke), on_lost=plain(on_lost)
        )
        self._join()

    def is_cut_off(self) -> bool:
        """Whether this client does not find its way to Kafka any more. Asks for up to two seconds behind an outage."""
        return self._connection.is_lost(self._consumer)

    def renew(self) -> None:
        """Join the group with a new client, for one that holds no partitions and gets none.

        Ends the commits under way with a CommitFailed."""
        old, self._consumer = self._consumer, self._make()
        commits, self._commits = self._commits, deque()
        for commit in commits:
            commit.set_exception(CommitFailed("a new client has joined the group"))
        self._join()
        # Nobody waits for its end: what hinders it to join may hinder it to leave.
        threading.Thread(target=old.close, name="leave", daemon=True).start()

    def poll(self, most: int, timeout_s: float) -> list[Record]:
        """Up to `most` records: what is there at once, or else the first to come within `timeout_s`."""
        try:
            messages = self._consumer.consume(most, 0)
            if not messages and timeout_s > 0:
                messages = self._consumer.consume(1, timeout_s)
                if messages and most > 1:
                    messages += self._consumer.consume(most - 1, 0)
        except KafkaException as error:
            raise ConsumerError(f"reading from Kafka failed: {text(error)}") from None
        return [record(message) for message in messages if message.error() is None or self._tell(message)]

    def _tell(self, message: Message) -> bool:
        """Heed the error that stands in a record's place. Returns that it is no record."""
        error = message.error()
        if error is not None:
            self._on_error(error)
        return False

    def _on_error(self, error: KafkaError) -> None:
        self._connection.told(error)
        if error.fatal():
            raise ConsumerError(f"Kafka's client gives up: {error.str()}")
        is_groups = error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED
        if is_groups and (denied := denial(error, [self._properties["group.id"]])):
            raise denied
        known = _TOOK.sub("", error.str())
        if known not in self._told:  # once until something is read again: a dead broker repeats itself
            self._told.add(known)
            log.warning("Kafka: %s%s", known, "; waiting for it" if error.code() in _PASSING else "")

    def heard(self) -> None:
        """Records arrive again: the next trouble is news."""
        self._told.clear()

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
        try:
            self._consumer.commit(offsets=topic_partitions(offsets), asynchronous=False)
        except KafkaException as error:
            raise commit_error(error.args[0]) from None

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

    def lag(self, partition: Partition) -> int | None:
        """Records behind the end, as of the last fetch."""
        tp = TopicPartition(*partition)
        _, high = self._consumer.get_watermark_offsets(tp, cached=True)
        (position,) = self._consumer.position([tp])
        return max(0, high - position.offset) if high >= 0 and position.offset >= 0 else None

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


def commit_error(cause: KafkaError) -> Exception:
    """What a refused commit means: try later, or, where the group may not be used at all, never."""
    if cause.code() in (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED):
        return ConsumerError(f"the broker lets fncast commit no offsets: {cause.str()}")
    return CommitFailed(cause.str())


def topic_partitions(offsets: Mapping[Partition, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]


def text(error: Exception) -> str:
    """The sentence of a driver's exception."""
    cause = error.args[0] if error.args else error
    return str(cause.str() if isinstance(cause, KafkaError) else cause)
