"""TopicChanges: a topic that is created again, or resized, while the consumer runs."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.dead_letter_watch import DeadLetterWatch
from consumer.kafka.topic_watch import Changes
from consumer.lane import Partition
from consumer.lanes import Lanes
from consumer.topic_changes import TopicChanges


class Topics:
    """Reports the changes once."""

    def __init__(self, created_again: list[str], resized: list[str]) -> None:
        self._changes = [Changes(created_again, resized)]
        self.watch = self

    def look(self, now_s: float, assigned: list[Partition]) -> Changes:
        return self._changes.pop() if self._changes else Changes([], [])


class Others:
    """Source and results."""

    def __init__(self) -> None:
        self.read_from_start_of: list[Partition] = []
        self.assignments = 0

    def read_from_start(self, partitions: list[Partition]) -> None:
        self.read_from_start_of += partitions

    def assigned(self) -> None:
        self.assignments += 1


@pytest.mark.parametrize(
    ("created_again", "resized", "from_start", "asked"),
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
    asked: int,
) -> None:
    topics: Any = Topics(created_again, resized)
    others: Any = Others()
    lanes = Lanes()
    lanes.assign([("metrics", 0), ("metrics", 1), ("other", 0)])
    changes = TopicChanges(topics, lanes, others, others, DeadLetterWatch("dead", 3, lambda: 0.0))
    for _ in range(2):
        changes.handle(frozenset({"metrics", "other"}))
    assert others.read_from_start_of == from_start
    assert others.assignments == asked  # the numbers of partitions are asked for again
    logged = [line for line in caplog.messages if "deleted and created again" in line]
    assert len(logged) == bool(from_start)
