"""A producer's client whose records the broker rejects, and a publisher that publishes until they are settled."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.errors import NotPublished
from consumer.kafka.publishers import base_producer
from consumer.kafka.publishers.at_least_once import AtLeastOnce
from consumer.kafka.publishers.exactly_once import ExactlyOnce
from consumer.publishing.result_publisher import ResultPublisher
from interceptor.delivery import Delivery, Record
from interceptor.outcome import Forecast, Headers, OutputEvent

PARTITION = ("metrics", 0)


class Report:
    """The message in a delivery report: it has no headers."""

    def __init__(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        self.topic, self.key, self.value = (lambda: topic), (lambda: key), (lambda: value)


class RejectingClient:
    """A producer, and a broker that rejects a batch with a record for which `cause` returns a code."""

    def __init__(self) -> None:
        self.cause = lambda topic, key, value, headers: None
        self.names_records = False  # whether its error names the rejected records
        self.taken: list[tuple[str, bytes | None]] = []
        self.batches = 0
        self._queue: list[tuple] = []
        self._open: list[tuple[str, bytes | None]] = []
        self._failed: KafkaError | None = None

    def created_by(self, kind, properties, **_):
        """In place of `create_client`."""
        self.on_delivery = properties["on_delivery"]
        return self

    def produce(self, topic, value, key, partition, headers):
        if self._failed is not None and self.is_transactional:
            raise KafkaException(KafkaError(KafkaError._STATE))
        if len(value) > 1_150_000:
            raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
        self._queue.append((topic, key, value, headers))

    def flush(self, _: float) -> int:
        batch, self._queue = self._queue, []
        self.batches += bool(batch)
        code = next((code for record in batch if (code := self.cause(*record))), None)
        if code is None:
            self._open += [(topic, value) for topic, _, value, _ in batch]
            if not self.is_transactional:
                self._commit()
            return 0
        self._failed = KafkaError(code, "rejected", False, False, True)
        for topic, key, value, headers in batch:
            is_other = self.names_records and not self.cause(topic, key, value, headers)
            report = KafkaError(KafkaError._INVALID_DIFFERENT_RECORD) if is_other else self._failed
            self.on_delivery(report, Report(topic, key, value))
        return 0

    def _commit(self) -> None:
        self.taken += self._open
        self._open.clear()

    def poll(self, _: float) -> int:
        return 0

    def send_offsets_to_transaction(self, *_): ...
    def begin_transaction(self): ...
    def init_transactions(self, *_): ...
    def purge(self): ...

    def commit_transaction(self, _: float) -> None:
        self.flush(1)
        if self._failed is not None:
            raise KafkaException(self._failed)
        self._commit()

    def abort_transaction(self, _: float) -> None:
        self._open, self._queue, self._failed = [], [], None

    def __len__(self) -> int:
        return len(self._queue)


class Harness:
    """A publisher over such a client, and what publishes outcomes with it."""

    def __init__(self, exactly_once: bool, monkeypatch: pytest.MonkeyPatch, **properties: str) -> None:
        self.client = RejectingClient()
        self.client.is_transactional = exactly_once
        kind = ExactlyOnce if exactly_once else AtLeastOnce
        monkeypatch.setattr(base_producer, "create_client", self.client.created_by)
        monkeypatch.setattr(kind, "partitions_of", lambda publisher, topic: 1)
        self.publisher = kind(properties, "murmur2_random", *["one"] * exactly_once)
        self.publisher.ready()
        self.results = ResultPublisher(self.publisher, "forecasts", "dead")
        assert self.results.knows_partitions("metrics")

    def settle(self, deliveries: list[Delivery], most_rounds: int = 5) -> list[Delivery]:
        """Publish them as the loop does, again and again while something is undone."""
        for _ in range(most_rounds):
            try:
                for delivery in deliveries:
                    self.results.publish(delivery)
                self.publisher.commit({PARTITION: len(deliveries)}, "metadata")
                return deliveries
            except NotPublished:
                pass
        pytest.fail("it never ends")


def forecast(number: int, *values: bytes, headers: Headers | None = None) -> Delivery:
    """A delivery whose outcome is a forecast with these events."""
    delivery = Delivery(Record("metrics", 0, number, 0, b"key", b"input %d" % number, []))
    delivery.outcome = Forecast([OutputEvent(headers or [], value) for value in values])
    return delivery
