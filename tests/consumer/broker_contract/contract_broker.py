"""A broker for the contract: topics that no other test uses, and what is written to and read from them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from consumer.kafka.source.source import KafkaSource
from fncast.testing.output_reader import OutputReader
from interceptor.delivery import Record
from tests.waiting import eventually

PARTITIONS = 4  # of a topic of the embedded broker
WAIT_S = 60.0
WRITTEN_MS = int(time.time() * 1000) - 1000  # Kafka deletes records with a timestamp beyond the retention
HEADERS = [("ce_id", b"1"), ("empty", None), ("ce_id", b"again")]


@dataclass(frozen=True)
class Broker:
    """A broker, and names of topics that no other test uses."""

    bootstrap_servers: str
    is_embedded: bool
    tag: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    @property
    def properties(self) -> dict[str, str]:
        return {"bootstrap.servers": self.bootstrap_servers}

    def topic(self, name: str) -> str:
        """Create the topic with four partitions. The embedded broker creates it on first use."""
        topic = f"{name}-{self.tag}"
        if not self.is_embedded:
            admin = AdminClient({**self.properties, "log_level": 0})
            admin.create_topics([NewTopic(topic, PARTITIONS)])[topic].result(WAIT_S)
        return topic

    def produce(self, topic: str, *records: tuple[int, bytes | None]) -> None:
        """Publish records with key and headers. records: partition and value."""
        producer = Producer({**self.properties, "enable.idempotence": True, "log_level": 0})
        for partition, value in records:
            producer.produce(topic, value, b"key", partition, headers=list(HEADERS), timestamp=WRITTEN_MS)
        assert producer.flush(WAIT_S) == 0

    def read(self, topic: str, act: Callable[[], None]) -> list[Message]:
        """Return the committed records that `act` publishes."""
        reader = OutputReader(self.properties, [topic])
        try:
            act()
            return reader.read_new(WAIT_S)[topic]
        finally:
            reader.close()


def read(source: KafkaSource, count: int) -> list[Record]:
    """Poll until `count` records have arrived."""
    found: list[Record] = []

    def have_arrived() -> bool:
        found.extend(source.poll(100, 0.2))
        return len(found) >= count

    eventually(have_arrived, WAIT_S, lambda: f"{len(found)} of {count} records arrived")
    return found
