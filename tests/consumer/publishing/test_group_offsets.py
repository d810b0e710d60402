"""Which published results the group's committed offsets cover."""

from __future__ import annotations

import pytest

from consumer.lanes.lane import Lane
from consumer.publishing.group_offsets import committed_counts
from interceptor.delivery import Delivery, Tick
from tests.consumer.commit_harness import PARTITION, FakeGroup
from tests.consumer.records import record


@pytest.fixture
def lane() -> Lane:
    """Two published deliveries, of the offsets 4 and 5."""
    lane = Lane(PARTITION)
    lane.published = [Delivery(record(4)), Delivery(record(5))]
    return lane


@pytest.mark.parametrize(("offset", "count"), [(6, 2), (5, 1), (4, 0), (-1001, 0)])
def test_results_before_the_committed_offset_are_committed(lane: Lane, offset: int, count: int) -> None:
    group = FakeGroup()
    group.offsets = {PARTITION: offset}
    assert committed_counts(group, {lane: 2}, "", 1.0) == {lane: count}


def test_nothing_is_known_while_the_broker_does_not_answer(lane: Lane) -> None:
    assert committed_counts(FakeGroup(), {lane: 2}, "", 1.0) is None


def test_a_commit_that_covers_no_results_asks_nothing_of_the_broker() -> None:
    assert committed_counts(FakeGroup(), {}, "", 1.0) == {}


@pytest.mark.parametrize(("tokens", "counts"), [({"this"}, [2]), ({"other"}, []), (None, None)])
def test_with_a_tick_only_the_token_of_the_commit_counts(
    lane: Lane, tokens: set[str] | None, counts: list[int]
) -> None:
    lane.published[1] = Delivery(Tick("metrics", 0, 4, 0, None, None, []))
    group = FakeGroup()
    group.offsets, group.tokens = {PARTITION: 6}, tokens
    found = committed_counts(group, {lane: 2}, "this", 1.0)
    assert (None if found is None else list(found.values())) == counts
