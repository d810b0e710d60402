"""Topics that are joined need the same number of partitions."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import ClusterMetadata, PartitionMetadata, TopicMetadata

from fncast.monitor import co_partition
from fncast.monitor.co_partition import differing_partitions


@dataclass
class FakeAdmin:
    counts: dict[str, int] = field(default_factory=dict)

    def list_topics(self, timeout: float) -> ClusterMetadata:
        if not self.counts:
            raise KafkaException("no broker")
        cluster = ClusterMetadata()
        for name, count in self.counts.items():
            topic = cluster.topics[name] = TopicMetadata()
            topic.partitions = {number: PartitionMetadata() for number in range(count)}
        return cluster


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({"metrics": 4, "forecasts": 4, "other": 1}, {}),
        ({"metrics": 4, "forecasts": 6}, {"metrics": 4, "forecasts": 6}),
        ({"metrics": 4}, {}),
        ({}, {}),
    ],
)
def test_topics_of_different_sizes_are_named(
    counts: dict[str, int], found: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(co_partition, "AdminClient", lambda properties: FakeAdmin(counts))
    assert differing_partitions({}, ("metrics", "forecasts")) == found
