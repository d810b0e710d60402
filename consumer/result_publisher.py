"""Turns settled deliveries into records on the output and the dead-letter topic."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence

from consumer import metrics
from consumer.errors import ConsumerError, RecordRefused, RecordTooLarge
from consumer.kafka.base_producer import Publisher
from interceptor import dead_letter
from interceptor.delivery import Delivery, Record
from interceptor.outcome import DeadLetter, Forecast, OutputEvent

log = logging.getLogger("fncast.consumer")

ASK_AGAIN_S = 1.0
BY_KEY = -1  # librdkafka: let the partitioner choose


class ResultPublisher:
    """Publishes in the order in which it is called.

    Where input and output have the same number, a
    record goes to the partition of the same number, key or not; otherwise by key, and order holds per key.
    """

    def __init__(
        self,
        publisher: Publisher,
        output_topic: str,
        dead_letter_topic: str,
    ) -> None:
        self._publisher = publisher
        self._output_topic = output_topic
        self._dead_letter_topic = dead_letter_topic
        # By input topic: whether its records keep their partition's number on the output and dead-letter topic.
        self._kept: dict[str, tuple[bool, bool]] = {}
        self._ask_at_s = 0.0
        self.is_waiting = False  # for the broker to tell how many partitions the topics have
        self._has_found_refused = False
        self._settled: list[tuple[str, str]] = []  # destinations and outcomes, since they were counted last
        self._timestamps_ms: list[int] = []

    def knows_partitions(self, input_topic: str) -> bool:
        """Whether results of records of `input_topic` may be published. Asks the broker, once an assignment.

        A broker that does not tell the numbers of partitions is asked again: a guess would change where records go,
        and so their order.
        """
        if input_topic in self._kept:
            return True
        if time.monotonic() < self._ask_at_s:
            return False
        counts = []
        for topic in (input_topic, self._output_topic, self._dead_letter_topic):
            count = self._publisher.partitions_of(topic)
            if not count:
                self._ask_at_s = time.monotonic() + ASK_AGAIN_S
                if not self.is_waiting:
                    told = "the broker does not tell how many partitions %s has: results wait until it does"
                    log.warning(told, topic)
                self.is_waiting = True
                return False
            counts.append(count)
        self.is_waiting = False
        here, *theirs = counts
        for topic, there in zip((self._output_topic, self._dead_letter_topic), theirs, strict=True):
            if there != here:
                log.warning(
                    "%s has %d partitions and %s %d: records go by key, and order holds per key",
                    input_topic,
                    here,
                    topic,
                    there,
                )
        self._kept[input_topic] = (theirs[0] == here, theirs[1] == here)
        return True

    def assigned(self) -> None:
        """Other partitions are assigned: topics may have other numbers of them now."""
        self._kept.clear()
        self._ask_at_s = 0.0

    def publish(self, delivery: Delivery) -> None:
        """Publish what the delivery's outcome asks for, once `knows_partitions` of its topic.

        Raises ConsumerError where even a dead letter is refused.
        """
        record = delivery.record
        outcome = delivery.outcome
        if type(outcome) is Forecast:
            partition = record.partition if self._kept[record.topic][0] else BY_KEY
            try:
                if len(outcome.events) > 1:
                    self._check_fit(record, outcome.events)  # all or none
                for event in outcome.events:
                    self._publisher.publish(
                        self._output_topic, partition, record.key, event.value, event.headers
                    )
            except RecordRefused as error:
                self._has_found_refused = True
                outcome = delivery.outcome = DeadLetter(
                    f"its forecast cannot be published: {error}",
                    attempts=delivery.attempts + 1,
                    kind="not_publishable",
                )
            else:
                self._count(delivery, "forecast")
                return
        if type(outcome) is DeadLetter:
            partition = record.partition if self._kept[record.topic][1] else BY_KEY
            headers = dead_letter.headers(delivery, outcome)
            topic = self._dead_letter_topic
            try:
                self._publisher.publish(topic, partition, record.key, record.value, headers)
            except RecordTooLarge as error:
                raise ConsumerError(
                    f"the dead letter of {record.topic}/{record.partition}, offset {record.offset}, is larger than"
                    f" {topic!r} takes: raise its max.message.bytes (see docs/delivery.md): {error}"
                ) from None
            except RecordRefused as error:
                raise ConsumerError(
                    f"the dead letter of {record.topic}/{record.partition}, offset {record.offset}, is refused: {error}"
                ) from None
            self._count(delivery, "dead_letter")
        else:
            self._count(delivery, "skipped")

    def has_found_refused(self) -> bool:
        """Whether a record was refused since the last call: what is undone with it will get further the next time."""
        found, self._has_found_refused = self._has_found_refused, False
        return found

    def _check_fit(self, record: Record, events: Sequence[OutputEvent]) -> None:
        for event in events:
            if not self._publisher.fits(self._output_topic, record.key, event.value, event.headers):
                raise RecordTooLarge(f"larger than the broker takes for {self._output_topic!r}")

    def _count(self, delivery: Delivery, outcome: str) -> None:
        route = delivery.route
        self._settled.append((route.name if route else "unknown", outcome))
        self._timestamps_ms.append(delivery.record.timestamp_ms)

    def count(self) -> None:
        """Count what was published for the metrics: once a batch, a labelled counter costs 1 µs a call."""
        if not self._settled:
            return
        for (destination, outcome), count in Counter(self._settled).items():
            metrics.EVENTS.labels(destination, outcome).inc(count)
        now_s = time.time()
        for timestamp_ms, count in Counter(self._timestamps_ms).items():
            if timestamp_ms > 0:  # 0 and below: the record has none
                metrics.EVENT_SECONDS.observe(now_s - timestamp_ms / 1000, count)
        self._settled.clear()
        self._timestamps_ms.clear()
