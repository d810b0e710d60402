"""The offsets of a testbed's group, as an operator reads and sets them."""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition
from kafka_container import PARTITIONS
from testbed import DeliveryTestbed


def committed(testbed: DeliveryTestbed) -> list[TopicPartition]:
    """The committed offset of each partition of the input topic."""
    consumer = _member(testbed)
    try:
        return consumer.committed([TopicPartition(testbed.metrics, p) for p in range(PARTITIONS)], 10)
    finally:
        consumer.close()


def commit(testbed: DeliveryTestbed, *offsets: TopicPartition) -> None:
    """Set offsets while no consumer of the group runs."""
    consumer = _member(testbed)
    consumer.commit(offsets=list(offsets), asynchronous=False)
    consumer.close()


def _member(testbed: DeliveryTestbed) -> Consumer:
    return Consumer({"bootstrap.servers": testbed.bootstrap_servers, "group.id": testbed.group})
