"""TopicChanges: a topic that is created again, or resized, while the consumer runs."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.dead_letter_watch import DeadLetterWatch
from consumer.kafka.topic_watch import Changes
from consumer.lane import Partition
from consumer.lanes import Lanes
from consumer.topic_changes import UNREAD_S, TopicChanges


class Clock:
    """Replaces the module `time`. now_s: set by a test."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def monotonic(self) -> float:
        return self.now_s


class Topics:
    """Reports the changes once."""

    def __init__(self, created_again: list[str], resized: list[str]) -> None:
        self._changes = [Changes(created_again, resized)]
        self.watch = self
        self.ends: dict[Partition, int] = {}
        self.seen_at_s: dict[str, float] = {}

    def look(self, now_s: float, assigned: list[Partition]) -> Changes:
        return self._changes.pop() if self._changes else Changes([], [])


class Others:
    """Source and results."""

    def __init__(self) -> None:
        self.read_from_start_of: list[Partition] = []
        self.positions: dict[Partition, int] = {}
        self.rejoins: list[str] = []
        self.resets: dict[Partition, float] = {}
        self.assignments = 0

    def position(self, partition: Partition) -> int | None:
        return self.positions.get(partition)

    def was_reset(self, partition: Partition, since_s: float) -> bool:
        return self.resets.get(partition, float("-inf")) >= since_s

    def read_from_start(self, partitions: list[Partition]) -> None:
        self.read_from_start_of += partitions

    def assigned(self) -> None:
        self.assignments += 1


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
    topics: Any = Topics(created_again, resized)
    others: Any = Others()
    lanes = Lanes()
    lanes.assign([("metrics", 0), ("metrics", 1), ("other", 0)])
    for lane in lanes:
        lane.start = 100_000  # the committed offset in the topic that is gone
    watch = DeadLetterWatch("dead", 3, lambda: 0.0)
    changes = TopicChanges(topics, lanes, others, others, watch, others.rejoins.append)
    for _ in range(2):
        changes.handle(frozenset({"metrics", "other"}))
    assert others.read_from_start_of == from_start
    assert [lane.partition for lane in lanes if lane.start == 0] == from_start  # all of it counts as lag
    assert others.assignments == assignments  # the numbers of partitions are requested again
    logged = [line for line in caplog.messages if "deleted and created again" in line]
    assert len(logged) == bool(from_start)


@pytest.mark.parametrize(
    ("end", "position", "is_replaced"), [(5, None, True), (0, None, False), (5, 3, False)]
)
def test_a_client_that_reads_nothing_of_a_topic_created_again_is_replaced(
    monkeypatch: pytest.MonkeyPatch, end: int, position: int | None, is_replaced: bool
) -> None:
    clock = Clock()
    monkeypatch.setattr("consumer.topic_changes.time", clock)
    topics: Any = Topics(["metrics"], [])
    others: Any = Others()
    lanes = Lanes()
    lanes.assign([("metrics", 0)])
    watch = DeadLetterWatch("dead", 3, lambda: 0.0)
    changes = TopicChanges(topics, lanes, others, others, watch, others.rejoins.append)
    changes.handle(frozenset({"metrics"}))
    topics.ends["metrics", 0] = end
    if position is not None:
        others.positions["metrics", 0] = position
    for at_s in (UNREAD_S - 1, UNREAD_S + 1, UNREAD_S + 2):
        clock.now_s = at_s
        changes.handle(frozenset({"metrics"}))
        assert len(others.rejoins) == (is_replaced and at_s > UNREAD_S)


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
    topics: Any = Topics(["metrics"], [])
    topics.seen_at_s["metrics"] = 4.0
    others: Any = Others()
    others.resets = {("metrics", number): at_s for number, at_s in resets.items()}
    lanes = Lanes()
    lanes.assign([("metrics", 0), ("metrics", 1)])
    watch = DeadLetterWatch("dead", 3, lambda: 0.0)
    TopicChanges(topics, lanes, others, others, watch, others.rejoins.append).handle(frozenset({"metrics"}))
    assert others.read_from_start_of == [("metrics", number) for number in from_start]
    assert [lane.start for lane in lanes] == [0, 0]
    assert len(caplog.messages) == warnings
