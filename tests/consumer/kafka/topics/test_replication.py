"""The warning about topics with one replica."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka.admin import ClusterMetadata, PartitionMetadata, TopicMetadata

from consumer.kafka.topics.replication import warn_of_single_replicas


@dataclass
class Admin:
    """An admin client. replicas: by topic the number of replicas of each partition."""

    replicas: dict[str, list[int]]

    def list_topics(self, timeout: float) -> ClusterMetadata:
        metadata = ClusterMetadata()
        metadata.topics = {name: topic_with(counts) for name, counts in self.replicas.items()}
        return metadata


def topic_with(counts: list[int]) -> TopicMetadata:
    topic = TopicMetadata()
    topic.partitions = {}
    for number, count in enumerate(counts):
        topic.partitions[number] = PartitionMetadata()
        topic.partitions[number].replicas = list(range(count))
    return topic


@pytest.mark.parametrize(
    ("replicas", "named"),
    [
        ({"forecasts": [3, 3], "dead": [3, 3]}, []),
        ({"forecasts": [3, 3], "dead": [1, 1]}, ["dead"]),
        ({"forecasts": [3, 1]}, ["forecasts"]),
        (
            {"forecasts": [3], "dead": [3], "__transaction_state": [1], "metrics": [1]},
            ["__transaction_state"],
        ),
        (
            {"forecasts": [1], "dead": [1], "__consumer_offsets": [1]},
            ["forecasts", "dead", "__consumer_offsets"],
        ),
    ],
)
def test_topics_with_one_replica_are_named_in_one_warning(replicas, named, caplog):
    admin: Any = Admin(replicas)
    warn_of_single_replicas(admin, ("forecasts", "dead"))
    assert len(caplog.messages) == bool(named)
    for message in caplog.messages:
        assert f"have one replica: {', '.join(named)}. Use three replicas" in message
