"""The loop, turn by turn, without a broker."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.batches import Batching
from consumer.dead_letter_watch import DeadLetterWatch
from consumer.lanes import Lanes
from consumer.loop import Loop
from interceptor.delivery import Delivery, Record
from interceptor.outcome import DeadLetter, Skipped


class Others:
    """Source, publisher, results, topics and chain."""

    commits_offsets = False
    has_unacknowledged = False
    watch = None
    writer = property(lambda self: self)

    def __init__(self) -> None:
        self.published: list[int] = []

    def on_commit(self, offsets: Any) -> None: ...

    def ready(self) -> bool:
        return True

    def knows_partitions(self, topic: str) -> bool:
        return True

    def publish(self, delivery: Delivery) -> None:
        self.published.append(delivery.record.offset)

    def keeps(self, topic: str) -> bool:
        return False

    def is_at_end(self, partition: Any, last_offset: int) -> bool:
        return True

    def publish_committed(self) -> None: ...

    def count(self) -> None: ...


@pytest.fixture
def others() -> Others:
    return Others()


@pytest.fixture
def loop(others: Any) -> Loop:
    watch = DeadLetterWatch("dead", 3, lambda: 0.0)
    return Loop(others, others, others, others, others, others, Batching(), watch, others)


def test_nothing_more_is_published_of_a_paused_topic(loop: Loop, others: Others) -> None:
    loop._lanes.assign([("bad", 0), ("good", 0)])
    loop._lanes.add(Record("bad", 0, offset, 0, None, b"", []) for offset in range(10))
    loop._lanes.add(Record("good", 0, offset, 0, None, b"", []) for offset in range(100, 110))
    for lane in loop._lanes:
        for delivery in lane.unpublished:
            is_bad = delivery.record.topic == "bad"
            delivery.outcome = DeadLetter("no event", kind="not_an_event") if is_bad else Skipped("none")
            delivery.is_done = True
    loop._publish()
    loop._publish()
    assert others.published == [0, 1, 2, *range(100, 110)]
    assert list(loop.paused) == ["bad"]
    bad, good = loop._lanes
    assert (len(bad.published), len(bad.unpublished)) == (3, 7)  # three are committed, seven stay in Kafka
    assert (len(good.published), len(good.unpublished)) == (10, 0)


class CommitInProgress:
    """Commits: one is in progress, and ends in the first turn."""

    def __init__(self, lanes: Lanes) -> None:
        self.holds_results = True
        self._lanes = lanes

    def advance(self, *, now: bool, in_rebalance: bool) -> None:
        if self.holds_results:
            self.holds_results = False
            return
        for lane in self._lanes:
            lane.committed(len(lane.published))


def test_what_settles_during_the_last_commit_is_published_before_the_end(loop: Loop, others: Others) -> None:
    loop._lanes.assign([("telegraf", 0)])
    loop._lanes.add([Record("telegraf", 0, 7, 0, None, b"", [])])
    (lane,) = loop._lanes
    (delivery,) = lane.take(1)
    delivery.outcome, delivery.is_done = Skipped("stored"), True
    loop._commits = CommitInProgress(loop._lanes)  # type: ignore[assignment]
    loop._finish([lane], 5.0, in_rebalance=True)
    assert others.published == [7]
    assert lane.events == 0
