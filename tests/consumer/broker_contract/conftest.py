"""The contract between fncast and a broker runs on the embedded broker and on Kafka."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from consumer.kafka.embedded import EmbeddedBroker
from consumer.kafka.publishers.at_least_once import AtLeastOnce
from consumer.kafka.publishers.exactly_once import ExactlyOnce
from consumer.kafka.publishers.publisher import Publisher
from consumer.kafka.source.source import KafkaSource
from tests.consumer.broker_contract.contract_broker import (
    WAIT_S,
    Broker,
    read,
)
from tests.waiting import eventually


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
    eventually(publisher.ready, WAIT_S, "the publisher is ready")
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
