"""Publishes records to a topic: in order, with bounded memory, and with an error if a record does not arrive."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping

from cloudevents.core.bindings.kafka import KafkaMessage
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from fncast.wording.kafka import ADVERTISED, advertised_address, describe, map_kafka_errors

log = logging.getLogger(__name__)

CONNECT_S = 60.0  # long enough for a broker to restart
CONNECT_ATTEMPT_S = 1.0  # signals are handled between two attempts
RETRY_S = 0.2
WARN_S = 10.0
FLUSH_SLICE_S = 0.25  # signals are handled between two slices
DELIVERY_S = 60.0  # a record without acknowledgement after this time is an error
QUEUE_RECORDS = 20_000
QUEUE_KB = 65_536
# librdkafka reports the state of an idempotent producer only in its statistics (JSON, searched without parsing).
STATISTICS_MS = 100
ID_ASSIGNED = '"idemp_state": "Assigned"'
LINGER_MS = 5  # sending each record alone would save little delay and cost the broker much
# Above the broker's usual limit of 1 MB, so that the broker decides and gives the reason.
MAX_RECORD_BYTES = 10_000_000


class PublishError(Exception):
    """Records could not be published. The message names broker or topic, and the reason."""


class TopicPublisher:
    """A producer for one topic. Records with equal keys keep their order, and each record arrives once.

    Use it from one thread.
    """

    def __init__(
        self,
        client_properties: Mapping[str, str],
        topic: str,
        *,
        partitioner: str = "murmur2_random",
        delivery_s: float = DELIVERY_S,
    ) -> None:
        """delivery_s: time-out per record. Raises PublishError if librdkafka rejects a property."""
        self.topic = topic
        self.delivered = 0
        self._servers = client_properties.get("bootstrap.servers", "")
        self._failed: KafkaError | None = None
        self._failures = 0
        self._last_error = ""
        self._unreachable: dict[str, str] = {}  # error by advertised address
        self._has_id = False
        self._delivery_s = delivery_s
        with map_kafka_errors(lambda cause: PublishError(f"Kafka settings: {describe(cause)}")):
            self._producer = Producer(
                {
                    **client_properties,
                    "enable.idempotence": True,
                    "partitioner": partitioner,
                    "linger.ms": LINGER_MS,
                    "delivery.timeout.ms": int(delivery_s * 1000),
                    "queue.buffering.max.messages": QUEUE_RECORDS,
                    "queue.buffering.max.kbytes": QUEUE_KB,
                    "message.max.bytes": MAX_RECORD_BYTES,
                    "error_cb": self._on_error,
                    "statistics.interval.ms": STATISTICS_MS,
                    "stats_cb": self._on_statistics,
                },
                logger=_DRIVER_LOG,
            )

    def connect(self, timeout_s: float = CONNECT_S) -> None:
        """Wait until the broker answers, knows the topic and has assigned a producer id.

        An idempotent producer holds its records until it has an id. The id comes from a broker at its advertised
        address, so this also tests that address. After `timeout_s`, raises PublishError if the broker or the topic is
        the problem; if only the id is missing, `flush` reports what cannot be sent.
        """
        deadline = time.monotonic() + timeout_s
        warned_s = -math.inf
        while True:
            problem = self._find_problem(min(CONNECT_ATTEMPT_S, timeout_s))
            if problem is None:
                self._wait_for_id(min(CONNECT_ATTEMPT_S, timeout_s))
                problem = self._unreachable_broker()
            now_s = time.monotonic()
            if self._has_id or (problem is None and now_s >= deadline):
                return
            if now_s >= deadline:
                raise PublishError(f"{problem}; gave up after {timeout_s:g} s")
            if problem is not None and now_s - warned_s >= WARN_S:
                warned_s = now_s
                log.warning("%s; trying for up to %.0f s", problem, deadline - now_s)
            time.sleep(RETRY_S)

    def _find_problem(self, timeout_s: float) -> str | None:
        """Why nothing can be published now; None if something can.

        Raises PublishError if waiting does not help.
        """
        try:
            topics = self._producer.list_topics(self.topic, timeout=timeout_s).topics
        except KafkaException as error:
            self._producer.poll(0)
            return f"Kafka at {self._servers} does not answer: {self._last_error or describe(error.args[0])}"
        topic_error = topics[self.topic].error
        if topic_error is None:
            return None
        text = f"topic {self.topic!r} on {self._servers}: {describe(topic_error)}"
        # Many brokers create an unknown topic at the first request, so wait for it.
        if topic_error.retriable() or topic_error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return text
        raise PublishError(text)

    def _wait_for_id(self, timeout_s: float) -> None:
        until_s = time.monotonic() + timeout_s
        while not self._has_id and time.monotonic() < until_s:
            self._producer.poll(RETRY_S)

    def _unreachable_broker(self) -> str | None:
        """Name a broker that cannot be reached at its advertised address; None if there is none."""
        reason = next(iter(self._unreachable.values()), None)
        return reason and f"Kafka answers at {self._servers}, but {reason}. {ADVERTISED}"

    def publish(self, record: KafkaMessage) -> None:
        """Queue a record. Waits while the queue is full.

        Raises PublishError if an earlier record failed, or if this record can never be sent.
        """
        headers: list[tuple[str, str | bytes | None]] = list(record.headers.items())
        deadline = time.monotonic() + self._delivery_s + 1.0
        while True:
            self._raise_failure()
            try:
                self._producer.produce(
                    self.topic, record.value, record.key, headers=headers, on_delivery=self._on_delivery
                )
            except BufferError:
                if time.monotonic() > deadline:
                    raise PublishError(
                        self._unreachable_broker()
                        or f"Kafka at {self._servers} accepts no records: the queue stays full"
                    ) from None
                self._producer.poll(0.1)
            except KafkaException as error:
                raise PublishError(f"topic {self.topic!r}: {describe(error.args[0])}") from None
            else:
                self._producer.poll(0)
                return

    def flush(self, timeout_s: float | None = None) -> None:
        """Wait until every record is acknowledged. Raises PublishError if a record failed or the time is over."""
        deadline = time.monotonic() + (self._delivery_s + 1.0 if timeout_s is None else timeout_s)
        left = self._producer.flush(0)
        while left and time.monotonic() < deadline:
            left = self._producer.flush(FLUSH_SLICE_S)
        self._raise_failure()
        if left:
            where = self._unreachable_broker() or f"Kafka at {self._servers} answers too late"
            raise PublishError(f"{left} records were not acknowledged: {where}")

    def _raise_failure(self) -> None:
        if self._failed is not None:
            failed = f"{self._failures} record{'s' * (self._failures > 1)} did not reach topic {self.topic!r}"
            is_timeout = self._failed.code() == KafkaError._MSG_TIMED_OUT
            reason = (self._unreachable_broker() if is_timeout else None) or describe(self._failed)
            raise PublishError(f"{failed} on {self._servers}: {reason}")

    def _on_delivery(self, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self.delivered += 1
        else:
            self._failed = self._failed or error
            self._failures += 1

    def _on_error(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN or not self._last_error:
            # Other errors are more precise.
            self._last_error = describe(error)
        broker = advertised_address(error)
        if broker and broker not in self._unreachable:
            self._unreachable[broker] = describe(error).removesuffix(f". {ADVERTISED}")
            log.warning("%s; waiting for it", self._unreachable_broker())

    def _on_statistics(self, text: str) -> None:
        self._has_id = self._has_id or ID_ASSIGNED in text


# librdkafka logs each failed attempt to connect. The errors above say what to do.
_DRIVER_LOG = logging.getLogger("confluent_kafka.driver")
_DRIVER_LOG.disabled = True
