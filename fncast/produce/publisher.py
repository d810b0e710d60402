"""Publishes records to a topic: in order, bounded, and with an error for every record that did not arrive."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping

from cloudevents.core.bindings.kafka import KafkaMessage
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from fncast.wording.kafka import ADVERTISED, advertised, words

log = logging.getLogger(__name__)

CONNECT_S = 60.0  # a broker that restarts is back within that time
CONNECT_ATTEMPT_S = 1.0  # a signal is heard only between two attempts
RETRY_S = 0.2
TELL_S = 10.0
FLUSH_SLICE_S = 0.25  # the same
DELIVERY_S = 60.0  # after that a record that the broker did not acknowledge is an error
QUEUE_RECORDS = 20_000
QUEUE_KB = 65_536
# The only place where librdkafka tells the state of an idempotent producer; 6 kB of JSON that is not parsed.
STATISTICS_MS = 100
NUMBERED = '"idemp_state": "Assigned"'
LINGER_MS = 5  # sending each record by itself costs the broker more than it gains in delay
# Beyond the broker's usual limit for a record (1 MB): it is the broker that says what is too large, with its reason.
MAX_RECORD_BYTES = 10_000_000


class PublishError(Exception):
    """Records could not be published; the text says which broker or topic, and why."""


class TopicPublisher:
    """A producer for one topic. Records with equal keys keep their order and arrive once per publish.

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
        """Raises PublishError where a property is not one of librdkafka's."""
        self.topic = topic
        self.delivered = 0
        self._servers = client_properties.get("bootstrap.servers", "")
        self._failed: KafkaError | None = None
        self._failures = 0
        self._last_error = ""
        self._unreachable: dict[str, str] = {}  # brokers by the addresses that they advertise
        self._is_numbered = False
        self._delivery_s = delivery_s
        try:
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
        except KafkaException as error:
            raise PublishError(f"Kafka settings: {words(error.args[0])}") from None

    def connect(self, timeout_s: float = CONNECT_S) -> None:
        """Wait until the broker answers, knows the topic and has given this producer its number.

        Idempotent producers hold their records until they have the number, by default for half a second. The number
        comes from a broker at the address that it advertises. Raises PublishError after `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        told_s = -math.inf
        while True:
            trouble = self._trouble(min(CONNECT_ATTEMPT_S, timeout_s))
            if trouble is None:
                self._wait_for_number(min(CONNECT_ATTEMPT_S, timeout_s))
                trouble = self._unreachable_broker()
            now_s = time.monotonic()
            if self._is_numbered or (trouble is None and now_s >= deadline):
                return
            if now_s >= deadline:
                raise PublishError(f"{trouble}; gave up after {timeout_s:g} s")
            if trouble is not None and now_s - told_s >= TELL_S:
                told_s = now_s
                log.warning("%s; trying for up to %.0f s", trouble, deadline - now_s)
            time.sleep(RETRY_S)

    def _trouble(self, timeout_s: float) -> str | None:
        """Why nothing can be published now, None if all is well. Raises PublishError where waiting mends nothing."""
        try:
            topics = self._producer.list_topics(self.topic, timeout=timeout_s).topics
        except KafkaException as error:
            self._producer.poll(0)
            return f"Kafka at {self._servers} does not answer: {self._last_error or words(error.args[0])}"
        problem = topics[self.topic].error
        if problem is None:
            return None
        text = f"topic {self.topic!r} on {self._servers}: {words(problem)}"
        # An unknown topic may be in the making: many brokers make it when it is first asked for.
        if problem.retriable() or problem.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return text
        raise PublishError(text)

    def _wait_for_number(self, timeout_s: float) -> None:
        until_s = time.monotonic() + timeout_s
        while not self._is_numbered and time.monotonic() < until_s:
            self._producer.poll(RETRY_S)

    def _unreachable_broker(self) -> str | None:
        """A broker that cannot be reached where it says that it is, in a sentence."""
        reason = next(iter(self._unreachable.values()), None)
        return reason and f"Kafka answers at {self._servers}, but {reason}. {ADVERTISED}"

    def publish(self, record: KafkaMessage) -> None:
        """Queue a record; waits for room where the queue is full.

        Raises PublishError for an earlier record that failed, or for this one where it can never be sent.
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
                        or f"Kafka at {self._servers} takes no records: the queue stays full"
                    ) from None
                self._producer.poll(0.1)
            except KafkaException as error:
                raise PublishError(f"topic {self.topic!r}: {words(error.args[0])}") from None
            else:
                self._producer.poll(0)
                return

    def flush(self, timeout_s: float | None = None) -> None:
        """Wait until every record is acknowledged. Raises PublishError if one failed or is still on its way."""
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
            what = f"{self._failures} record{'s' * (self._failures > 1)} did not reach topic {self.topic!r}"
            is_late = self._failed.code() == KafkaError._MSG_TIMED_OUT
            reason = (self._unreachable_broker() if is_late else None) or words(self._failed)
            raise PublishError(f"{what} on {self._servers}: {reason}")

    def _on_delivery(self, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self.delivered += 1
        else:
            self._failed = self._failed or error
            self._failures += 1

    def _on_error(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN or not self._last_error:  # the others say more
            self._last_error = words(error)
        broker = advertised(error)
        if broker and broker not in self._unreachable:
            self._unreachable[broker] = words(error).removesuffix(f". {ADVERTISED}")
            log.warning("%s; waiting for it", self._unreachable_broker())

    def _on_statistics(self, text: str) -> None:
        self._is_numbered = self._is_numbered or NUMBERED in text


# librdkafka tells each failed attempt to connect; what a user can act on comes through the errors above.
_DRIVER_LOG = logging.getLogger("confluent_kafka.driver")
_DRIVER_LOG.disabled = True
