from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaException

from fncast.monitor import co_partition
from fncast.monitor.co_partition import differing_partitions


@dataclass
class FakeAdmin:
    counts: dict[str, int] = field(default_factory=dict)

    def list_topics(self, timeout: float) -> SimpleNamespace:
        if not self.counts:
            raise KafkaException("no broker")
        topics = {name: SimpleNamespace(partitions=range(count)) for name, count in self.counts.items()}
        return SimpleNamespace(topics=topics)


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
