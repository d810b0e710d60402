"""Publishes settled deliveries as records to the output topic and the dead-letter topic."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence

from consumer import metrics
from consumer.errors import ConsumerError, RecordRejected, RecordTooLarge
from consumer.kafka.publishers.publisher import Publisher
from consumer.state.writer import StateWriter
from interceptor import dead_letter
from interceptor.delivery import Delivery, Tick
from interceptor.outcome import Assembled, DeadLetter, Forecast, OutputEvent, Skipped

log = logging.getLogger("fncast.consumer")

ASK_AGAIN_S = 1.0
BY_KEY = -1  # librdkafka: let the partitioner choose


class ResultPublisher:
    """Publishes in the order of its calls. is_waiting: whether the broker has not reported numbers of partitions yet.

    If input and output topic have equally many partitions, a result goes to the partition of the same number.
    Otherwise it goes by key, and order holds per key.
    """

    def __init__(
        self,
        publisher: Publisher,
        output_topic: str,
        dead_letter_topic: str,
        state: StateWriter | None = None,
    ) -> None:
        """state: writes the deliveries' state records, if interceptors have any."""
        self._state = state
        self._publisher = publisher
        self._output_topic = output_topic
        self._dead_letter_topic = dead_letter_topic
        # By input topic: whether its results keep their partition's number on the output and on the dead-letter topic.
        self._keeps_number: dict[str, tuple[bool, bool]] = {}
        self._logged: set[tuple[str, str, int, int]] = set()  # different numbers of partitions
        self._ask_at_s = 0.0
        self.is_waiting = False
        self._has_found_rejected = False
        self._settled: list[tuple[str, str]] = []  # destinations and outcomes since the last `count`
        self._timestamps_ms: list[int] = []

    def knows_partitions(self, input_topic: str) -> bool:
        """Whether results for `input_topic` may be published. Asks the broker once after `forget_partitions`.

        If the broker does not report the numbers of partitions, it is asked again later. A guess could send records
        to other partitions and so change their order.
        """
        if input_topic in self._keeps_number:
            return True
        if time.monotonic() < self._ask_at_s:
            return False
        topics = (input_topic, self._output_topic, self._dead_letter_topic)
        counts = []
        for topic in topics:
            count = self._publisher.partitions_of(topic)
            if not count:
                self._ask_again_later(topic)
                return False
            counts.append(count)
        self.is_waiting = False
        input_count, *output_counts = counts
        for topic, count in zip(topics[1:], output_counts, strict=True):
            self._log_difference(input_topic, input_count, topic, count)
        self._keeps_number[input_topic] = (output_counts[0] == input_count, output_counts[1] == input_count)
        return True

    def _ask_again_later(self, topic: str) -> None:
        self._ask_at_s = time.monotonic() + ASK_AGAIN_S
        if not self.is_waiting:
            log.warning(
                "the broker does not report the number of partitions of %s: results wait until it does", topic
            )
        self.is_waiting = True

    def _log_difference(self, input_topic: str, input_count: int, topic: str, count: int) -> None:
        difference = (input_topic, topic, input_count, count)
        if count != input_count and difference not in self._logged:
            self._logged.add(difference)
            log.warning(
                "%s has %d partitions and %s %d: records go by key, and order holds per key",
                input_topic,
                input_count,
                topic,
                count,
            )

    def forget_partitions(self) -> None:
        """Ask for the numbers of partitions again before the next result: they may have changed."""
        self._keeps_number.clear()
        self._ask_at_s = 0.0

    def publish(self, delivery: Delivery) -> None:
        """Publish the delivery's outcome. Call it once `knows_partitions` of its topic.

        Raises ConsumerError if the broker rejects a dead letter; NotPublished.
        """
        if delivery.state and self._state is not None:
            self._state.publish_with(delivery)
        outcome = delivery.outcome
        if type(outcome) is Skipped:  # nearly all, where few readings complete a window
            self._count(delivery, "skipped")
            return
        if type(outcome) is Assembled and delivery.windows:
            for window in delivery.windows:
                self.publish(window)
            return
        if type(outcome) is Forecast:
            outcome = self._publish_forecast(delivery, outcome)
        if type(outcome) is DeadLetter:
            self._publish_dead_letter(delivery, outcome)
        elif type(outcome) is not Forecast:
            self._count(delivery, "skipped")

    def _publish_forecast(self, delivery: Delivery, forecast: Forecast) -> Forecast | DeadLetter:
        """Publish the forecast's events. Returns the delivery's outcome: a dead letter if one cannot be published."""
        record, key = delivery.record, delivery.key
        partition = record.partition if self._keeps_number[record.topic][0] else BY_KEY
        try:
            if len(forecast.events) > 1:
                self._check_fit(key, forecast.events)  # publish all or none
            for event in forecast.events:
                self._publish_event(event, partition, key)
        except RecordRejected as error:
            self._has_found_rejected = True
            dead = delivery.outcome = DeadLetter(
                f"its forecast cannot be published: {error}",
                attempts=delivery.attempts + 1,
                kind="not_publishable",
            )
            return dead
        self._count(delivery, "forecast")
        return forecast

    def _publish_dead_letter(self, delivery: Delivery, outcome: DeadLetter) -> None:
        """Publish the record with the reason. Raises ConsumerError if the broker rejects it."""
        record, topic = delivery.record, self._dead_letter_topic
        partition = record.partition if self._keeps_number[record.topic][1] else BY_KEY
        headers = dead_letter.headers(delivery, outcome)
        try:
            self._publisher.publish(topic, partition, delivery.key, dead_letter.value(delivery), headers)
        except RecordTooLarge as error:
            raise ConsumerError(
                f"the dead letter of {record.topic}/{record.partition}, offset {record.offset}, is larger than"
                f" {topic!r} allows: raise its max.message.bytes (see docs/delivery.md): {error}"
            ) from None
        except RecordRejected as error:
            raise ConsumerError(
                f"the dead letter of {record.topic}/{record.partition}, offset {record.offset}, is rejected: {error}"
            ) from None
        self._count(delivery, "dead_letter")

    def _publish_event(self, event: OutputEvent, partition: int, key: bytes | None) -> None:
        if event.topic:
            self._publisher.publish(event.topic, BY_KEY, event.key, event.value, event.headers)
        else:
            self._publisher.publish(self._output_topic, partition, key, event.value, event.headers)

    def has_found_rejected(self) -> bool:
        """Whether a record was rejected since the last call: then the next attempt differs from the last one."""
        found, self._has_found_rejected = self._has_found_rejected, False
        return found

    def _check_fit(self, key: bytes | None, events: Sequence[OutputEvent]) -> None:
        for event in events:
            topic = event.topic or self._output_topic
            if not self._publisher.fits(topic, event.key or key, event.value, event.headers):
                raise RecordTooLarge(f"larger than the broker allows for {topic!r}")

    def _count(self, delivery: Delivery, outcome: str) -> None:
        if type(delivery.record) is Tick and type(delivery.outcome) is Skipped:
            return  # it was no event
        route = delivery.route
        self._settled.append((route.name if route else "unknown", outcome))
        self._timestamps_ms.append(delivery.record.timestamp_ms)

    def count(self) -> None:
        """Add what was published to the metrics: once for each batch, because a labelled counter is slow."""
        if not self._settled:
            return
        for (destination, outcome), count in Counter(self._settled).items():
            metrics.EVENTS.labels(destination, outcome).inc(count)
        now_s = time.time()
        for timestamp_ms, count in Counter(self._timestamps_ms).items():
            took_s = now_s - timestamp_ms / 1000
            if timestamp_ms > 0 and took_s <= metrics.MAX_EVENT_S:  # 0: the record has no timestamp
                metrics.EVENT_SECONDS.observe(took_s, count)
        self._settled.clear()
        self._timestamps_ms.clear()
