"""Names of topics that Kafka accepts."""

from __future__ import annotations

import pytest

from consumer.settings.values import TOPIC_NAME


@pytest.mark.parametrize("name", ["metrics", "a", "Team.metrics_v2-raw", "...", "..a", "x" * 249])
def test_a_name_that_kafka_accepts_is_accepted(name: str) -> None:
    assert TOPIC_NAME.match(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "a/b", "mätrics", "metrics\n", "x" * 250])
def test_a_name_that_kafka_rejects_is_rejected(name: str) -> None:
    assert not TOPIC_NAME.match(name)
