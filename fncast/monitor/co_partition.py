"""Checks that the topics that the monitor joins have the same number of partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

ANSWER_S = 5.0


def differing_partitions(client_properties: Mapping[str, str], topics: Sequence[str]) -> dict[str, int]:
    """The number of partitions of each topic, if they differ; else empty.

    Missing topics are left out. Empty, too, if no broker answers in time: the consumer waits for it and says so.
    """
    admin = AdminClient({**client_properties, "log_level": 0})
    try:
        found = admin.list_topics(timeout=ANSWER_S).topics
    except KafkaException:
        return {}
    counts = {topic: len(found[topic].partitions) for topic in topics if topic in found}
    counts = {topic: count for topic, count in counts.items() if count}
    return counts if len(set(counts.values())) > 1 else {}
