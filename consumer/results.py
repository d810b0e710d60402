"""Turns settled deliveries into records on the output and the dead-letter topic."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from consumer import metrics
from consumer.errors import RecordTooLarge
from consumer.publisher import Publisher
from interceptor import dead_letter
from interceptor.delivery import Delivery
from interceptor.outcome import DeadLetter, Forecast

BY_KEY = -1  # librdkafka: let the partitioner choose


class Results:
    """Publishes in the order in which it is called.

    partitions: how many each topic has. Where input and output have the same number, a record goes to the partition
    of the same number, key or not; otherwise by key, and order holds per key.
    """

    def __init__(
        self,
        publisher: Publisher,
        output_topic: str,
        dead_letter_topic: str,
        partitions: Callable[[str], int],
    ) -> None:
        self._publisher = publisher
        self._output_topic = output_topic
        self._dead_letter_topic = dead_letter_topic
        self._partitions = partitions
        self._kept: dict[tuple[str, str], bool] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def keeps_partition(self, input_topic: str, topic: str) -> bool:
        """Whether records of `input_topic` keep their partition's number on `topic`."""
        known = self._kept.get((input_topic, topic))
        if known is None:
            known = self._partitions(input_topic) == self._partitions(topic) > 0
            self._kept[input_topic, topic] = known
        return known

    def publish(self, delivery: Delivery) -> None:
        """Publish what the delivery's outcome asks for. Raises ConsumerError where even a dead letter is refused."""
        record = delivery.record
        outcome = delivery.outcome
        if type(outcome) is Forecast:
            partition = record.partition if self.keeps_partition(record.topic, self._output_topic) else BY_KEY
            try:
                for event in outcome.events:
                    self._publisher.publish(
                        self._output_topic, partition, record.key, event.value, event.headers
                    )
            except RecordTooLarge as error:
                outcome = delivery.outcome = DeadLetter(f"its forecast cannot be published: {error}")
            else:
                self._count(delivery, "forecast")
                return
        if type(outcome) is DeadLetter:
            partition = (
                record.partition if self.keeps_partition(record.topic, self._dead_letter_topic) else BY_KEY
            )
            self._publisher.publish(
                self._dead_letter_topic,
                partition,
                record.key,
                record.value,
                dead_letter.headers(delivery, outcome),
            )
            self._count(delivery, "dead_letter")
        else:
            self._count(delivery, "skipped")

    def _count(self, delivery: Delivery, outcome: str) -> None:
        route = delivery.route
        self._counts[route.name if route else "unknown", outcome] += 1
        metrics.EVENT_SECONDS.observe(time.time() - delivery.record.timestamp_ms / 1000)

    def count(self) -> None:
        """Move what was counted to the metrics: once a batch, a labelled counter costs 1 µs a call."""
        for (destination, outcome), count in self._counts.items():
            metrics.EVENTS.labels(destination, outcome).inc(count)
        self._counts.clear()
