"""The histogram of durations, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from consumer.metrics import SecondsHistogram


@pytest.fixture
def seconds() -> Iterator[SecondsHistogram]:
    seconds = SecondsHistogram("test_seconds", "Time of a test", (0.5, 1, 10))
    yield seconds
    REGISTRY.unregister(seconds)


def up_to(edge: str) -> float | None:
    """How many durations are in the bucket and in smaller ones."""
    return REGISTRY.get_sample_value("test_seconds_bucket", {"le": edge})


def test_a_duration_counts_in_its_bucket_and_in_all_larger_ones(seconds: SecondsHistogram) -> None:
    seconds.observe(0.7)
    assert [up_to(edge) for edge in ("0.5", "1.0", "10.0", "+Inf")] == [0, 1, 1, 1]


def test_a_duration_at_an_edge_belongs_to_the_bucket_below_it(seconds: SecondsHistogram) -> None:
    seconds.observe(1)
    assert [up_to("0.5"), up_to("1.0")] == [0, 1]


def test_a_duration_beyond_the_last_edge_is_counted(seconds: SecondsHistogram) -> None:
    seconds.observe(1e6)
    assert [up_to("10.0"), up_to("+Inf")] == [0, 1]


def test_several_durations_of_one_length_are_counted_together(seconds: SecondsHistogram) -> None:
    seconds.observe(0.25, times=4)
    assert REGISTRY.get_sample_value("test_seconds_count") == 4
    assert REGISTRY.get_sample_value("test_seconds_sum") == 1.0


def test_a_negative_duration_counts_as_zero(seconds: SecondsHistogram) -> None:
    seconds.observe(-5)
    assert up_to("0.5") == 1
    assert REGISTRY.get_sample_value("test_seconds_sum") == 0
