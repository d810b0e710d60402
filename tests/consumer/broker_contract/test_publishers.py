"""The contract of the publishers: what readers find on a broker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consumer.errors import RecordTooLarge
from consumer.kafka.publishers.exactly_once import ExactlyOnce
from consumer.kafka.publishers.publisher import Publisher
from consumer.kafka.source.source import KafkaSource
from tests.consumer.broker_contract.contract_broker import (
    HEADERS,
    PARTITIONS,
    WAIT_S,
    Broker,
    read,
)


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


def test_a_record_that_is_too_large_is_rejected_alone(
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
