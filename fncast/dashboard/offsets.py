"""Where a reader of topics begins in each partition, and which partitions there are."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from fncast.wording.kafka import words

# One question to the broker; the reader's thread can be stopped between two.
QUESTION_TIMEOUT_S = 2.0


def list_partitions(
    consumer: Consumer, topics: Iterable[str]
) -> tuple[list[tuple[str, int]], dict[str, str]]:
    """The partitions of `topics` that exist, and for each topic without any why. Creates no topic.

    Raises KafkaException where the broker does not answer."""
    # For all topics: a broker that creates topics on first use would create one that is asked for by name.
    known = consumer.list_topics(timeout=QUESTION_TIMEOUT_S).topics
    found: list[tuple[str, int]] = []
    missing: dict[str, str] = {}
    for topic in topics:
        metadata = known.get(topic)
        if metadata is None:
            missing[topic] = "does not exist yet"
        elif metadata.error is not None or not metadata.partitions:
            missing[topic] = words(metadata.error) if metadata.error is not None else "has no partitions"
        else:
            found.extend((topic, number) for number in sorted(metadata.partitions))
    return found, missing


def from_beginning(partition: tuple[str, int]) -> TopicPartition:
    return TopicPartition(*partition, OFFSET_BEGINNING)


def near_end(consumer: Consumer, partition: tuple[str, int], history: int) -> tuple[TopicPartition, int]:
    """Where the newest `history` records of a partition begin, and the offset that the next new one will get.

    Raises KafkaException where the broker does not answer."""
    low, high = consumer.get_watermark_offsets(TopicPartition(*partition), timeout=QUESTION_TIMEOUT_S)
    return TopicPartition(*partition, max(low, high - history)), high
