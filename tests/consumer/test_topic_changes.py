"""TopicChanges: a topic that is created again, or resized, while the consumer runs."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from consumer.kafka.topics.watch import Changes
from consumer.lanes.lane import Partition
from consumer.lanes.lanes import Lanes
from consumer.topic_changes import UNREAD_S, TopicChanges
from tests.consumer.parts import parts


class FakeTopics:
    """Reports the changes once."""

    def __init__(self, created_again: list[str], resized: list[str]) -> None:
        self._changes = [Changes(created_again, resized)]
        self.watch = self
        self.ends: dict[Partition, int] = {}
        self.seen_at_s: dict[str, float] = {}

    def look(self, now_s: float, assigned: list[Partition]) -> Changes:
        return self._changes.pop() if self._changes else Changes([], [])


class FakeSource:
    """positions: by partition, the offset after the last record that was read. resets: when a partition was reset."""

    def __init__(self) -> None:
        self.read_from_start_of: list[Partition] = []
        self.positions: dict[Partition, int] = {}
        self.resets: dict[Partition, float] = {}

    def position(self, partition: Partition) -> int | None:
        return self.positions.get(partition)

    def was_reset(self, partition: Partition, since_s: float) -> bool:
        return self.resets.get(partition, float("-inf")) >= since_s

    def read_from_start(self, partitions: list[Partition]) -> None:
        self.read_from_start_of += partitions


class Harness:
    """Topic changes over lanes of the topic `metrics`. rejoins: the reasons to join the group again."""

    def __init__(self, topics: FakeTopics, partitions: list[Partition]) -> None:
        self.source, self.results, self.rejoins = FakeSource(), Mock(), list[str]()
        self.lanes = Lanes()
        self.lanes.assign(partitions)
        self.changes = TopicChanges(
            parts(topics=topics, source=self.source, results=self.results), self.lanes, self.rejoins.append
        )


@pytest.mark.parametrize(
    ("created_again", "resized", "from_start", "assignments"),
    [
        (["metrics"], [], [("metrics", 0), ("metrics", 1)], 1),
        (["forecasts"], [], [], 1),
        ([], ["forecasts"], [], 1),
        ([], [], [], 0),
    ],
)
def test_a_topic_that_was_created_again_is_read_from_its_start(
    caplog: pytest.LogCaptureFixture,
    created_again: list[str],
    resized: list[str],
    from_start: list[Partition],
    assignments: int,
) -> None:
    harness = Harness(FakeTopics(created_again, resized), [("metrics", 0), ("metrics", 1), ("other", 0)])
    for lane in harness.lanes:
        lane.start = 100_000  # the committed offset in the topic that is gone
    for now_s in (1.0, 2.0):
        harness.changes.handle(frozenset({"metrics", "other"}), now_s)
    assert harness.source.read_from_start_of == from_start
    assert [
        lane.partition for lane in harness.lanes if lane.start == 0
    ] == from_start  # all of it counts as lag
    assert (
        harness.results.forget_partitions.call_count == assignments
    )  # the numbers of partitions are requested again
    logged = [line for line in caplog.messages if "deleted and created again" in line]
    assert len(logged) == bool(from_start)


@pytest.mark.parametrize(
    ("end", "position", "is_replaced"), [(5, None, True), (0, None, False), (5, 3, False)]
)
def test_a_client_that_reads_nothing_of_a_topic_created_again_is_replaced(
    end: int, position: int | None, is_replaced: bool
) -> None:
    topics = FakeTopics(["metrics"], [])
    harness = Harness(topics, [("metrics", 0)])
    harness.changes.handle(frozenset({"metrics"}), 0.0)
    topics.ends["metrics", 0] = end
    if position is not None:
        harness.source.positions["metrics", 0] = position
    for now_s in (UNREAD_S - 1, UNREAD_S + 1, UNREAD_S + 2):
        harness.changes.handle(frozenset({"metrics"}), now_s)
        assert len(harness.rejoins) == (is_replaced and now_s > UNREAD_S)


@pytest.mark.parametrize(
    ("resets", "from_start", "warnings"),
    [
        ({0: 5.0, 1: 6.0}, [], 0),  # the client has noticed all of it
        ({0: 5.0}, [1], 0),  # partition 1 had no record beyond its end
        ({0: 3.9, 1: 5.0}, [0], 0),  # the reset of partition 0 was in the old topic
        ({0: 3.9}, [0, 1], 1),
    ],
)
def test_a_partition_that_was_reset_since_the_old_topic_was_seen_is_not_read_twice(
    caplog: pytest.LogCaptureFixture, resets: dict[int, float], from_start: list[int], warnings: int
) -> None:
    topics = FakeTopics(["metrics"], [])
    topics.seen_at_s["metrics"] = 4.0
    harness = Harness(topics, [("metrics", 0), ("metrics", 1)])
    harness.source.resets = {("metrics", number): at_s for number, at_s in resets.items()}
    harness.changes.handle(frozenset({"metrics"}), 7.0)
    assert harness.source.read_from_start_of == [("metrics", number) for number in from_start]
    assert [lane.start for lane in harness.lanes] == [0, 0]
    assert len(caplog.messages) == warnings
