"""The partitions of a reader, on a broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.kafka.partitions import Partitions
from fncast.dashboard.kafka.reader_client import create_consumer, reader_properties


@pytest.fixture
def connect(broker: Any) -> Iterator[Callable[[], Consumer]]:
    """Creates clients of a broker with five records in partition 0 of `t`."""
    for number in range(5):
        broker.publish("t", b"%d" % number)
    clients: list[Consumer] = []

    def create() -> Consumer:
        clients.append(create_consumer(reader_properties({"bootstrap.servers": broker.address}, print)))
        return clients[-1]

    yield create
    for client in clients:
        client.close()


def assigned(consumer: Consumer) -> list[tuple[str, int]]:
    return [(place.topic, place.partition) for place in consumer.assignment()]


def test_new_partitions_are_assigned_and_those_that_are_gone_are_not(
    connect: Callable[[], Consumer],
) -> None:
    partitions, consumer = Partitions(None, None), connect()
    partitions.update(consumer, [("t", 0), ("t", 1)])
    partitions.update(consumer, [("t", 1), ("t", 2)])
    assert sorted(assigned(consumer)) == [("t", 1), ("t", 2)]
    assert len(partitions) == 2


def test_records_before_the_end_at_the_start_are_history(connect: Callable[[], Consumer]) -> None:
    partitions, consumer = Partitions(2, None), connect()
    partitions.update(consumer, [("t", 0)])
    assert [partitions.is_live(("t", 0), offset) for offset in (4, 5)] == [False, True]


def test_records_of_a_partition_that_appears_later_are_live(connect: Callable[[], Consumer]) -> None:
    partitions, consumer = Partitions(2, None), connect()
    partitions.update(consumer, [])
    partitions.update(consumer, [("t", 0)])
    assert partitions.is_live(("t", 0), 0)


def test_another_client_continues_at_the_counted_offsets(connect: Callable[[], Consumer]) -> None:
    partitions = Partitions(None, None)
    partitions.update(connect(), [("t", 0)])
    partitions.count([ReceivedRecord("t", 0, offset, None, b"") for offset in range(3)])
    consumer = connect()
    partitions.continue_with(consumer)
    [message] = consumer.consume(1, 10.0)
    assert message.value() == b"3"


def test_the_partitions_of_a_topic_are_removed(connect: Callable[[], Consumer]) -> None:
    partitions, consumer = Partitions(None, None), connect()
    partitions.update(consumer, [("t", 0), ("u", 0)])
    partitions.remove_topic(consumer, "t")
    assert assigned(consumer) == [("u", 0)]
