"""A producer that keeps order and finds the records that the broker rejects: what both publishers share."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from consumer.errors import ConsumerError, GaveUp, RecordTooLarge
from consumer.kafka.authorization import authorization_error
from consumer.kafka.connection import Connection
from consumer.kafka.errors import create_client
from consumer.kafka.publishers.properties import producer_properties, with_size_limits
from consumer.kafka.publishers.rejected_records import (
    RECORD_CODES,
    RejectedRecords,
    batch_size_of,
    framed_size_of,
)
from fncast.wording.kafka import describe
from interceptor.outcome import Headers

log = logging.getLogger("fncast.kafka")

QUEUE_FULL_POLL_S = 0.1
FLUSH_STEP_S = 0.5
# Records that this consumer has dropped itself: of an aborted transaction, or of a replaced producer.
PURGED = frozenset({KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT})
# Wait for the answer about one isolated record. A later answer counts for the whole group of records.
ISOLATED_S = 5.0
METADATA_S = 1.0
METADATA_TRIES = 5
CUT_OFF = "it has lost its connection to Kafka for good"
# Errors of records whose topic or partition no longer exists.
GONE = frozenset(
    {
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._DESTROY,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.UNKNOWN_TOPIC_ID,
    }
)


class BaseProducer:
    """What both publishers share; see Publisher for its methods and its threads."""

    commits_offsets: bool  # whether records belong to a transaction

    def __init__(
        self, client_properties: Mapping[str, str], partitioner: str, guarantee: Mapping[str, Any]
    ) -> None:
        """guarantee: properties that the delivery guarantee needs; they replace all others."""
        self._properties = producer_properties(client_properties, partitioner) | dict(guarantee)
        self._client_properties = client_properties
        self._give_up_at_s = float("inf")
        compression = client_properties.get("compression.type", client_properties.get("compression.codec"))
        self._rejected = RejectedRecords(learns_limits=compression in (None, "none"))
        self._failure: KafkaError | None = None
        self._clients_created = 0
        self._failed_topics: dict[str, KafkaError] = {}  # the first error of each since a commit failed
        self._logged: set[tuple[int, str]] = set()
        self._connection = Connection(client_properties)
        self._producer = self._create_client()

    def _create_client(self) -> Producer:
        self._failure = None
        self._clients_created += 1
        number = self._clients_created

        def on_delivery(error: KafkaError | None, message: Message) -> None:
            if number == self._clients_created:  # not about the records of a replaced producer
                self._on_failure(error, message)

        callbacks = {"on_delivery": on_delivery, "error_cb": self._on_error}
        return create_client(Producer, self._properties | callbacks, logger=log)

    def _wait(self, timeout_s: float) -> None:
        """Run the client's callbacks for up to this time.

        The client raises a fatal error here, and a SystemError if a callback runs after that error. Both are ignored:
        the next transaction or record reports the error again, and that call handles it.
        """
        with suppress(KafkaException, SystemError):
            self._producer.poll(timeout_s)

    def _flush(self, timeout_s: float) -> int:
        """Wait until the broker has acknowledged all records. Returns how many are left. Errors: see `_wait`."""
        with suppress(KafkaException, SystemError):
            self._producer.flush(timeout_s)
        return len(self._producer)

    def _is_cut_off(self) -> bool:
        """Whether the client has lost its connection for good. After an outage this takes up to two seconds."""
        self._wait(0)  # runs the error callback
        is_stopping = self._give_up_at_s < float("inf")  # then it does not wait for an answer
        return not is_stopping and self._connection.is_lost(self._producer)

    def _on_error(self, error: KafkaError) -> None:
        self._connection.on_error(error)
        log.debug("Kafka, publishing: %s", describe(error))

    def _on_failure(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            return
        # The first failure is the cause of the others.
        if self._failure is None and error.code() not in PURGED:
            self._failure = error
        self._failed_topics.setdefault(str(message.topic()), error)
        self._rejected.on_failure(error, message)

    def set_limits(self, record_bytes: int, batch_bytes: int) -> None:
        self._properties = with_size_limits(
            self._properties, self._client_properties, record_bytes, batch_bytes
        )
        self._producer = self._create_client()

    def partitions_of(self, topic: str) -> int:
        for _ in range(METADATA_TRIES):  # a topic that is being created has no leader yet
            if self._has_given_up():
                break
            try:
                metadata = self._producer.list_topics(topic, METADATA_S).topics[topic]
            except (KafkaException, KeyError):
                continue
            if metadata.error is not None and (denied := authorization_error(metadata.error, [topic])):
                raise denied
            if metadata.error is None and metadata.partitions:
                return len(metadata.partitions)
            self._wait(QUEUE_FULL_POLL_S)
        return 0

    def fits(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> bool:
        most = int(self._properties["message.max.bytes"])
        if framed_size_of(key, value, headers) > most:
            return False
        return not self._rejected.has_any or self._rejected.fits(topic, batch_size_of(key, value, headers))

    def publish(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers
    ) -> None:
        is_isolated = False
        if self._rejected.has_any:
            if not self._rejected.fits(topic, batch_size_of(key, value, headers)):
                raise RecordTooLarge(f"the broker rejects a record of this size for {topic!r}")
            is_isolated = self._rejected.must_isolate(topic, key, value) and self._try_to_deliver_all()
        self._produce(topic, partition, key, value, headers)
        if is_isolated:
            self._settle_isolated(topic, key, value, headers)

    def _produce(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers
    ) -> None:
        """Hand a record to the client. Waits while the client's queue is full. Raises as `Publisher.publish`."""
        while True:
            try:
                self._producer.produce(topic, value, key, partition, headers=headers)  # type: ignore[arg-type]
                return
            except BufferError:
                self._wait(QUEUE_FULL_POLL_S)
                self._check_stop("the client's queue is full")
            except KafkaException as error:
                cause = error.args[0]
                if cause.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                    raise RecordTooLarge(f"a record for {topic!r}: {describe(cause)}") from None
                self._on_rejected(cause, topic)

    def _settle_isolated(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """Wait for the broker's answer about a record that was sent on its own. Raises RecordRejected."""
        if self._try_to_deliver_all():
            self._rejected.stop_isolating(topic, key, value)
            return
        failure = self._failure
        if failure is not None and failure.code() in RECORD_CODES:
            if not self.commits_offsets:  # a transaction has failed as a whole
                self._failure = None
            raise self._rejected.rejection(failure, topic, batch_size_of(key, value, headers))

    def _try_to_deliver_all(self) -> bool:
        """Wait until the broker has acknowledged all records. False if it rejected some, or is slow."""
        until_s = time.monotonic() + ISOLATED_S
        while self._failure is None and time.monotonic() < until_s:
            if not self._flush(FLUSH_STEP_S):
                return self._failure is None
            self._check_stop("the broker has not acknowledged the results")
        return False

    def _on_rejected(self, cause: KafkaError, topic: str) -> NoReturn:
        """Raise the error for a topic whose records the client rejects."""
        failed = ConsumerError(f"publishing to {topic!r} failed: {describe(cause)}")
        raise (authorization_error(cause, [topic]) or failed) from None

    def _authorization_error(self, cause: KafkaError) -> ConsumerError | None:
        """The error if access to topics, a group or an identity is denied, else None. Forgets which topics failed."""
        failed, self._failed_topics = self._failed_topics, {}
        for error in failed.values():
            if denied := authorization_error(
                error, [topic for topic, other in failed.items() if other.code() == error.code()]
            ):
                return denied
        is_topic = cause.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
        return authorization_error(cause, failed if is_topic else ())

    def give_up_at(self, at_s: float) -> None:
        self._give_up_at_s = at_s

    def _has_given_up(self) -> bool:
        return time.monotonic() >= self._give_up_at_s

    def _check_stop(self, reason: str) -> None:
        """Raise GaveUp if a stop no longer waits for the broker. reason: what is waited for."""
        if self._has_given_up():
            raise GaveUp(
                f"stopped before Kafka had all results: the rest is read again at the next start ({reason})"
            )

    def _log_once(self, sentence: str, level: int = logging.WARNING) -> None:
        """Log the sentence once at each level, until the next commit."""
        if (level, sentence) not in self._logged:
            self._logged.add((level, sentence))
            log.log(level, sentence)
