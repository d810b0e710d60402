"""The contract between fncast and a broker: source, publishers and loop, on the embedded broker and on Kafka."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from consumer.errors import RecordTooLarge
from consumer.kafka.at_least_once import AtLeastOnce
from consumer.kafka.embedded import EmbeddedBroker
from consumer.kafka.exactly_once import ExactlyOnce
from consumer.kafka.publisher import Publisher
from consumer.kafka.source import KafkaSource
from fncast import Interceptor, Skipped
from fncast.testing import ConsumerStopped, LocalFncast, window_event
from fncast.testing.output_reader import OutputReader
from interceptor.delivery import Record

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


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker()
    yield broker
    broker.close()


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.docker)])
def broker(request: pytest.FixtureRequest) -> Broker:
    running = request.getfixturevalue(request.param)
    return Broker(running.bootstrap_servers, is_embedded=request.param == "embedded")


@pytest.fixture
def source_of(broker: Broker) -> Iterator[Callable[[str], KafkaSource]]:
    """source_of(topic): a subscribed source; all sources are in one group."""
    sources: list[KafkaSource] = []

    def build(topic: str) -> KafkaSource:
        source = KafkaSource(broker.properties, f"group-{broker.tag}")
        sources.append(source)
        source.subscribe([topic], lambda _: None, lambda _: None, lambda _: None)
        return source

    yield build
    for source in sources:
        source.close()


@pytest.fixture(params=[AtLeastOnce, ExactlyOnce])
def publisher(request: pytest.FixtureRequest, broker: Broker) -> Iterator[Publisher]:
    identity = [f"id-{broker.tag}"] if request.param is ExactlyOnce else []
    publisher = request.param(broker.properties, "murmur2_random", *identity)
    deadline_s = time.monotonic() + WAIT_S
    while not publisher.ready():
        assert time.monotonic() < deadline_s, "the publisher is not ready"
    yield publisher
    publisher.close()


@pytest.fixture
def commit(
    broker: Broker, publisher: Publisher, source_of: Callable[[str], KafkaSource]
) -> Callable[[], None]:
    """Commits what is published, without offsets. A transaction needs a member of the group."""
    metadata = None
    if publisher.commits_offsets:
        topic = broker.topic("joined")
        broker.produce(topic, (0, b"1"))
        source = source_of(topic)
        read(source, 1)
        metadata = source.group_metadata()
    return lambda: publisher.commit({}, metadata)


def read(source: KafkaSource, count: int) -> list[Record]:
    """Poll until `count` records have arrived."""
    found: list[Record] = []
    deadline_s = time.monotonic() + WAIT_S
    while len(found) < count:
        assert time.monotonic() < deadline_s, f"{len(found)} of {count} records arrived"
        found += source.poll(100, 0.2)
    return found


# Source.


def test_a_record_is_read_as_it_was_written(broker: Broker, source_of: Callable[[str], KafkaSource]) -> None:
    topic = broker.topic("metrics")
    broker.produce(topic, (2, b"value"), (2, None))
    first, second = read(source_of(topic), 2)
    assert (first.topic, first.partition, first.offset, first.key, first.value) == (
        topic,
        2,
        0,
        b"key",
        b"value",
    )
    assert (second.offset, second.value) == (1, None)
    assert [*first.headers] == HEADERS
    assert first.timestamp_ms == WRITTEN_MS


def test_a_partition_is_read_in_order_and_the_next_source_continues_at_the_committed_offset(
    broker: Broker, source_of: Callable[[str], KafkaSource]
) -> None:
    topic = broker.topic("metrics")
    broker.produce(topic, *((number % PARTITIONS, b"%d" % number) for number in range(40)))
    source = source_of(topic)
    records = read(source, 40)
    for partition in range(PARTITIONS):
        assert [r.offset for r in records if r.partition == partition] == list(range(10))
    commit = source.commit({(topic, partition): 7 for partition in range(PARTITIONS)})
    deadline_s = time.monotonic() + WAIT_S
    while not commit.done():
        assert time.monotonic() < deadline_s, "the commit has no answer"
        source.poll(1, 0.1)
    commit.result()
    assert source.committed([(topic, 0)], WAIT_S) == {(topic, 0): 7}
    source.close()
    rest = read(source_of(topic), 12)
    assert sorted((r.partition, r.offset) for r in rest) == [
        (p, o) for p in range(PARTITIONS) for o in (7, 8, 9)
    ]


def test_a_paused_partition_is_read_after_it_is_resumed(
    broker: Broker, source_of: Callable[[str], KafkaSource]
) -> None:
    topic = broker.topic("metrics")
    broker.produce(topic, *((partition, b"first") for partition in range(PARTITIONS)))
    source = source_of(topic)
    read(source, PARTITIONS)
    source.pause([(topic, 0)])
    broker.produce(topic, *((partition, b"second") for partition in range(PARTITIONS)))
    assert 0 not in {record.partition for record in read(source, PARTITIONS - 1)}
    source.resume([(topic, 0)])
    assert [(record.partition, record.value) for record in read(source, 1)] == [(0, b"second")]


# Publishers.


def test_published_records_arrive_in_order_as_they_were_published(
    broker: Broker, publisher: Publisher, commit: Callable[[], None]
) -> None:
    topic = broker.topic("forecasts")
    assert publisher.partitions_of(topic) == PARTITIONS

    def publish() -> None:
        for number in range(100):
            publisher.publish(topic, 1, b"key", b"%d" % number, list(HEADERS))
        publisher.publish(topic, 3, None, None, [])
        commit()

    *records, last = broker.read(topic, publish)
    assert [record.value() for record in records] == [b"%d" % number for number in range(100)]
    assert {(record.partition(), record.key()) for record in records} == {(1, b"key")}
    assert records[0].headers() == HEADERS
    assert (last.partition(), last.key(), last.value()) == (3, None, None)


def test_records_of_one_key_share_a_partition(
    broker: Broker, publisher: Publisher, commit: Callable[[], None]
) -> None:
    topic = broker.topic("forecasts")

    def publish() -> None:
        for number in range(40):
            publisher.publish(topic, -1, b"key-%d" % (number % 8), b"v", [])
        commit()

    records = broker.read(topic, publish)
    assert len(records) == 40
    assert len({(record.key(), record.partition()) for record in records}) == 8


def test_a_record_that_is_too_large_is_refused_alone(
    broker: Broker, publisher: Publisher, commit: Callable[[], None]
) -> None:
    topic = broker.topic("forecasts")

    def publish() -> None:
        publisher.publish(topic, 0, None, b"small", [])
        with pytest.raises(RecordTooLarge):
            publisher.publish(topic, 0, None, bytes(3_000_000), [])
        commit()

    assert [record.value() for record in broker.read(topic, publish)] == [b"small"]


@pytest.mark.parametrize("publisher", [ExactlyOnce], indirect=True)
def test_an_aborted_record_is_not_read(
    broker: Broker, publisher: Publisher, commit: Callable[[], None]
) -> None:
    if broker.is_embedded:
        pytest.skip("the embedded broker does not isolate transactions")
    topic = broker.topic("forecasts")

    def publish() -> None:
        publisher.publish(topic, 0, None, b"aborted", [])
        publisher.abort()
        publisher.publish(topic, 0, None, b"committed", [])
        commit()

    assert [record.value() for record in broker.read(topic, publish)] == [b"committed"]


@pytest.mark.parametrize("publisher", [ExactlyOnce], indirect=True)
def test_offsets_are_committed_with_the_records(
    broker: Broker, publisher: Publisher, source_of: Callable[[str], KafkaSource]
) -> None:
    if broker.is_embedded:
        pytest.skip("the embedded broker does not store the offsets of a transaction")
    topic, output = broker.topic("metrics"), broker.topic("forecasts")
    broker.produce(topic, (0, b"1"), (0, b"2"))
    source = source_of(topic)
    read(source, 2)
    publisher.publish(output, 0, None, b"v", [])
    publisher.commit({(topic, 0): 2}, source.group_metadata())
    assert source.committed([(topic, 0)], WAIT_S) == {(topic, 0): 2}


# Loop.


class SkipOdd(Interceptor):
    """Skips events with an odd number. It raises while `is_broken`."""

    is_broken = False

    async def on_consume(self, batch: Any) -> Any:
        for delivery in batch.pending():
            if self.is_broken:
                raise ValueError("broken on purpose")
            if int(delivery.opened.text("number") or "0") % 2:
                delivery.outcome = Skipped("odd")
        return batch


def local(broker: Broker, interceptor: Interceptor | None = None) -> LocalFncast:
    """A consumer of this test's topics. All of them are in one group."""
    names = {name: f"{name}-{broker.tag}" for name in ("metrics", "forecasts", "dead", "outages")}
    kafka = {
        "group_id": f"group-{broker.tag}",
        "input_topics": [names["metrics"]],
        "output_topic": names["forecasts"],
        "dead_letter_topic": names["dead"],
        "outage_topic": names["outages"],
        "delivery": "at-least-once" if broker.is_embedded else "exactly-once",
    }
    chain = ["expiry", interceptor or SkipOdd(), "route", "deliver"]
    return LocalFncast(settings={"kafka": kafka}, bootstrap_servers=broker.bootstrap_servers, chain=chain)


def numbered(number: int, destination: str = "forecast") -> dict[str, Any]:
    key = f"series-{number % 6}"
    return window_event([float(number)], destination=destination, number=str(number), partitionkey=key)


def test_each_event_has_one_outcome_in_order(broker: Broker) -> None:
    for name in ("metrics", "forecasts", "dead"):
        broker.topic(name)
    with local(broker) as fncast:
        results = fncast.process(*map(numbered, range(100)), numbered(100, "nowhere"), b"not an event")
        again = fncast.process(numbered(200))
    numbers = [int(forecast.data["values"][0]) for forecast in results.forecasts]
    assert sorted(numbers) == list(range(0, 100, 2))
    for key in {forecast.key for forecast in results.forecasts}:
        of_key = [n for n, forecast in zip(numbers, results.forecasts, strict=True) if forecast.key == key]
        assert of_key == sorted(of_key)
    assert len(results.dead_letters) == 2
    assert [forecast.data["values"] for forecast in again.forecasts] == [[200.0]]


def test_the_next_consumer_reads_again_what_an_exception_left_unfinished(broker: Broker) -> None:
    for name in ("metrics", "forecasts", "dead"):
        broker.topic(name)
    broken = SkipOdd()
    with local(broker, broken) as fncast:
        assert len(fncast.process(numbered(0)).forecasts) == 1
        broken.is_broken = True
        with pytest.raises(ConsumerStopped, match="broken on purpose"):
            fncast.process(numbered(6), numbered(12))
    with local(broker) as fncast:
        results = fncast.process(numbered(18))  # of the same series, so in the same partition
    assert [forecast.data["values"][0] for forecast in results.forecasts] == [6.0, 12.0, 18.0]
