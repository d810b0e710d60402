"""Where results go: what the loop asks of a publisher, and what the two over confluent-kafka's Producer share.

Both publish into a group of deliveries and `finish` it: `ExactlyOnce` commits outputs and offsets in one transaction,
`AtLeastOnce` waits until the broker has acknowledged all of them, and its offsets are committed afterwards.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from consumer.errors import ConsumerError, GaveUp, RecordTooLarge
from consumer.kafka.authorization import denial
from consumer.kafka.connection import Connection
from consumer.kafka.rejected_records import CODES, Refusals, framed_size_of, size_of
from consumer.kafka.source import text
from consumer.lane import Partition
from interceptor.dead_letter import MAX_ADDED_BYTES
from interceptor.outcome import Headers

log = logging.getLogger("fncast.kafka")

# Doubled at each retry, up to 1 s. The broker refuses a transaction's first requests while it still writes the markers
# of the one before (CONCURRENT_TRANSACTIONS): at librdkafka's 100 ms, transactions back to back took 112 ms at p90 to
# send their offsets, at 5 ms 16; 15 ms apart p99 was 60 and 16 to 43 ms.
RETRY_BACKOFF_MS = 5
LOG_LEVEL = 2  # of librdkafka's own lines: at 3, each attempt to reach a broker that is away is one
QUEUE_FULL_POLL_S = 0.1
FLUSH_STEP_S = 0.5
ALONE_S = 5.0  # for the answer about one record; one that comes later is heeded with those of its group
METADATA_S = 1.0
METADATA_TRIES = 5
# A broker's own default for the largest record that it takes, framing included; topics may say otherwise.
BROKER_RECORD_BYTES = 1_048_588
BATCH_BYTES = 1_000_000  # librdkafka's default; a batch must fit where a record must
CUT_OFF = "it does not find its way to Kafka any more"
# How records fail whose topic or partition is not there any more.
GONE = frozenset(
    {
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._DESTROY,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.UNKNOWN_TOPIC_ID,
    }
)


class Publisher(Protocol):
    """Publishes results; `finish` may be called by another thread than the others, not at the same time."""

    commits_offsets: bool
    commit_interval_s: float

    @property
    def settle_s(self) -> float:
        """After `finish`, before the next `publish`; shorter than the interval."""

    def allow(self, record_bytes: int, batch_bytes: int) -> None:
        """Before `start`: the largest dead letter that there can be, the largest batch that all topics take."""

    def start(self) -> bool:
        """Whether it can publish; where it cannot, it waits a moment for the broker. Called again and again.

        Raises ConsumerError where the broker refuses the guarantee.
        """

    def fits(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> bool:
        """False where the client takes no record of this size, or the broker has refused one."""

    def partitions_of(self, topic: str) -> int:
        """How many partitions the topic has, which the broker may make now; 0 where it stays unknown.

        Raises ConsumerError where this login may not use it."""

    def publish(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers
    ) -> None:
        """Hand a record to the client. partition: -1 for by key.

        Raises RecordRefused for this record alone, NotPublished for all since the last `finish`, ConsumerError.
        """

    def finish(self, offsets: Mapping[Partition, int], group_metadata: Any) -> None:
        """Return once all that was published is safe.

        Raises NotPublished: publish it again; OutcomeUnknown: once `start` returns true, the group's committed
        offsets say whether it is; or ConsumerError.
        """

    def abort(self) -> None:
        """Undo what is published and not finished, where that can be done. Raises ConsumerError."""

    def give_up_at(self, at_s: float) -> None:
        """Whatever waits for the broker ends at this monotonic time, with GaveUp. By any thread."""

    def close(self) -> None:
        """Give up what is not finished."""


class Producing:
    """A producer that keeps order, and finds out which records the broker refuses."""

    def __init__(
        self, client_properties: Mapping[str, str], partitioner: str, own: Mapping[str, Any]
    ) -> None:
        self._properties = producer_properties(client_properties, partitioner) | dict(own)
        self._client_properties = client_properties
        self._give_up_at_s = float("inf")
        compression = client_properties.get("compression.type", client_properties.get("compression.codec"))
        self._refusals = Refusals(learns_limits=compression in (None, "none"))
        self._failure: KafkaError | None = None
        self._failed_topics: dict[str, KafkaError] = {}  # of what was undone, or in part refused
        self._told: set[tuple[int, str]] = set()
        self._connection = Connection(client_properties)
        self._producer = self._make()

    def _make(self) -> Producer:
        self._failure = None
        own = {"on_delivery": self._on_failure, "error_cb": self._on_error}
        try:
            return Producer(self._properties | own, logger=log)
        except (KafkaException, ValueError, TypeError) as error:
            raise ConsumerError(f"Kafka's client refuses the settings: {text(error)}") from None

    def _is_cut_off(self) -> bool:
        """Whether the client does not find its way to Kafka any more. Asks for up to two seconds behind an outage."""
        self._producer.poll(0)  # what befalls the client is told inside
        is_stopping = self._give_up_at_s < float("inf")  # and waits for no answer
        return not is_stopping and self._connection.is_lost(self._producer)

    def _on_error(self, error: KafkaError) -> None:
        self._connection.told(error)
        log.debug("Kafka, publishing: %s", error.str())

    def _on_failure(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            return
        if self._failure is None:  # a purged message has a first cause
            self._failure = error
        self._failed_topics.setdefault(str(message.topic()), error)
        self._refusals.report(error, message)

    def allow(self, record_bytes: int, batch_bytes: int) -> None:
        # Of a smaller message.max.bytes in [kafka.client] a dead letter would be the victim.
        most = max(record_bytes, int(self._properties["message.max.bytes"]))
        self._properties["batch.size"] = min(batch_bytes, BATCH_BYTES)
        self._properties.update(self._client_properties)
        self._properties["message.max.bytes"] = most
        self._producer = self._make()

    def partitions_of(self, topic: str) -> int:
        for _ in range(METADATA_TRIES):  # a topic that is being made has no leader yet
            if time.monotonic() >= self._give_up_at_s:
                break
            try:
                metadata = self._producer.list_topics(topic, METADATA_S).topics[topic]
            except (KafkaException, KeyError):
                continue
            if metadata.error is not None and (denied := denial(metadata.error, [topic])):
                raise denied
            if metadata.error is None and metadata.partitions:
                return len(metadata.partitions)
            self._producer.poll(QUEUE_FULL_POLL_S)
        return 0

    def fits(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> bool:
        most = int(self._properties["message.max.bytes"])
        return framed_size_of(key, value, headers) <= most and self._refusals.fits(
            topic, size_of(key, value, headers)
        )

    def publish(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers
    ) -> None:
        goes_alone = False
        if self._refusals.are_known:
            if not self._refusals.fits(topic, size_of(key, value, headers)):
                raise RecordTooLarge(f"the broker takes no record of this size for {topic!r}")
            goes_alone = self._refusals.is_suspect(topic, key, value) and self._is_all_taken()
        while True:
            try:
                self._producer.produce(topic, value, key, partition, headers=headers)  # type: ignore[arg-type]
                break
            except BufferError:
                self._producer.poll(QUEUE_FULL_POLL_S)
                self._check_patience("the client's queue is full")
            except KafkaException as error:
                cause = error.args[0]
                if cause.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                    raise RecordTooLarge(f"a record for {topic!r}: {cause.str()}") from None
                self._refused(cause, topic)
        if goes_alone:
            if self._is_all_taken():
                self._refusals.acquit(topic, key, value)
                return
            failure = self._failure
            if failure is not None and failure.code() in CODES:
                self._failure = None
                raise self._refusals.refusal(failure, topic, size_of(key, value, headers))

    def _is_all_taken(self) -> bool:
        """Wait until the broker has answered to all that was published. False where it refused some, or is slow."""
        until_s = time.monotonic() + ALONE_S
        while self._failure is None and time.monotonic() < until_s:
            if not self._producer.flush(FLUSH_STEP_S):
                return self._failure is None
            self._check_patience("the broker has not acknowledged the results")
        return False

    def _refused(self, cause: KafkaError, topic: str) -> None:
        """The client takes no record for the topic, whatever it is."""
        failed = ConsumerError(f"publishing to {topic!r} failed: {cause.str()}")
        raise (denial(cause, [topic]) or failed) from None

    def _denial(self, cause: KafkaError) -> ConsumerError | None:
        """The error where the broker refuses topics, a group or an identity. Forgets which topics failed."""
        failed, self._failed_topics = self._failed_topics, {}
        for error in failed.values():
            if denied := denial(
                error, [topic for topic, own in failed.items() if own.code() == error.code()]
            ):
                return denied
        is_topic = cause.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
        return denial(cause, failed if is_topic else ())

    def give_up_at(self, at_s: float) -> None:
        self._give_up_at_s = at_s

    def _is_over(self) -> bool:
        return time.monotonic() >= self._give_up_at_s

    def _check_patience(self, reason: str) -> None:
        if self._is_over():
            raise GaveUp(f"stopped before Kafka had everything, it is read again at the next start: {reason}")

    def _tell(self, sentence: str, level: int = logging.WARNING) -> None:
        """Once at each level, until something is published again."""
        if (level, sentence) not in self._told:
            self._told.add((level, sentence))
            log.log(level, sentence)


def producer_properties(client_properties: Mapping[str, str], partitioner: str) -> dict[str, Any]:
    """librdkafka properties of a producer that keeps order and repeats nothing."""
    return {
        "log_level": LOG_LEVEL,
        # Results come in bursts of a batch. Against 5: 4 ms less delay and 1.2 × the events/s; against 0: 1.2 to 1.5 ×.
        "linger.ms": 1,
        "retry.backoff.ms": RETRY_BACKOFF_MS,
        "message.max.bytes": BROKER_RECORD_BYTES + MAX_ADDED_BYTES,
        "queue.buffering.max.kbytes": 32 * 1024,
        "topic.metadata.refresh.interval.ms": 10_000,
        **client_properties,
        "enable.idempotence": True,
        "partitioner": partitioner,
        "delivery.report.only.error": True,
    }
