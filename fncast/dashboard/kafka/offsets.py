"""Finds the partitions of topics and the offsets at which to start reading."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from fncast.wording.kafka import describe

# One request to the broker. The reader's thread can stop between two requests.
REQUEST_TIMEOUT_S = 2.0


def list_partitions(
    consumer: Consumer, topics: Iterable[str]
) -> tuple[list[tuple[str, int]], dict[str, str]]:
    """List the partitions of `topics`, and the topics without partitions with the reason. Creates no topic.

    Raises KafkaException if the broker does not answer.
    """
    # Ask for all topics: a broker with auto-creation creates a topic that is requested by name.
    known = consumer.list_topics(timeout=REQUEST_TIMEOUT_S).topics
    found: list[tuple[str, int]] = []
    missing: dict[str, str] = {}
    for topic in topics:
        metadata = known.get(topic)
        if metadata is None:
            missing[topic] = "does not exist yet"
        elif metadata.error is not None or not metadata.partitions:
            missing[topic] = describe(metadata.error) if metadata.error is not None else "has no partitions"
        else:
            found.extend((topic, number) for number in sorted(metadata.partitions))
    return found, missing


def from_beginning(partition: tuple[str, int]) -> TopicPartition:
    """The start of a partition."""
    return TopicPartition(*partition, OFFSET_BEGINNING)


def near_end(consumer: Consumer, partition: tuple[str, int], history: int) -> tuple[TopicPartition, int]:
    """The start of the newest `history` records of a partition, and the offset of the next new record.

    Raises KafkaException if the broker does not answer.
    """
    low, high = consumer.get_watermark_offsets(TopicPartition(*partition), timeout=REQUEST_TIMEOUT_S)
    return TopicPartition(*partition, max(low, high - history)), high
