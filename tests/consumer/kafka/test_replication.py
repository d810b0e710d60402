"""The warning about topics with one replica."""

from types import SimpleNamespace
from typing import Any

import pytest

from consumer.kafka.replication import warn_of_single_replicas


def admin_of(**replicas: list[int]) -> Any:
    """An admin client of a cluster with these topics: the number of replicas of each partition."""
    topics = {
        name: SimpleNamespace(
            partitions={
                number: SimpleNamespace(replicas=list(range(count))) for number, count in enumerate(counts)
            }
        )
        for name, counts in replicas.items()
    }
    return SimpleNamespace(list_topics=lambda timeout: SimpleNamespace(topics=topics))


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
    warn_of_single_replicas(admin_of(**replicas), ("forecasts", "dead"))
    assert len(caplog.messages) == bool(named)
    for message in caplog.messages:
        assert f"have one replica: {', '.join(named)}. Use three replicas" in message
