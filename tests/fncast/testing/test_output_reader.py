"""The output of a consumer since the last call, on the embedded broker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from consumer.kafka.embedded import EmbeddedBroker
from fncast.testing.output_reader import OutputReader

WITHIN_S = 20.0


def publish(broker: EmbeddedBroker, *records: tuple[str, int, bytes]) -> None:
    """records: topic, partition and value."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "linger.ms": 0, "log_level": 0})
    for topic, partition, value in records:
        producer.produce(topic, value, partition=partition)
    assert producer.flush(10) == 0


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """A broker with a record in each of two topics."""
    started = EmbeddedBroker()
    publish(started, ("forecasts", 0, b"before"), ("dead-letters", 0, b"before"))
    yield started
    started.close()


@pytest.fixture
def reader(broker: EmbeddedBroker) -> Iterator[OutputReader]:
    started = OutputReader({"bootstrap.servers": broker.bootstrap_servers}, ["forecasts", "dead-letters"])
    yield started
    started.close()


def values(reader: OutputReader) -> list[list[bytes | None]]:
    return [[message.value() for message in found] for found in reader.read_new(WITHIN_S).values()]


def test_each_record_is_returned_once_from_the_creation_on(
    broker: EmbeddedBroker, reader: OutputReader
) -> None:
    assert values(reader) == [[], []]
    publish(broker, ("forecasts", 0, b"1"), ("dead-letters", 0, b"2"))
    assert values(reader) == [[b"1"], [b"2"]]
    assert values(reader) == [[], []]


def test_the_records_of_a_partition_keep_their_order(broker: EmbeddedBroker, reader: OutputReader) -> None:
    publish(broker, *(("forecasts", number % 2, b"%d" % number) for number in range(20)))
    assert values(reader)[0] == [b"%d" % number for number in [*range(0, 20, 2), *range(1, 20, 2)]]


def test_records_that_are_not_read_in_time_are_an_error(broker: EmbeddedBroker, reader: OutputReader) -> None:
    publish(broker, ("dead-letters", 0, b"1"))
    with pytest.raises(TimeoutError, match="forecasts, dead-letters were not read in 0 s"):
        reader.read_new(0.0)
