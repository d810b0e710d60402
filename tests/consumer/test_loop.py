"""The loop, turn by turn, without a broker."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.batches import Batching
from consumer.dead_letter_watch import DeadLetterWatch
from consumer.loop import Loop
from interceptor.delivery import Delivery, Record
from interceptor.outcome import DeadLetter, Skipped


class Others:
    """Source, publisher, results, topics and chain."""

    commits_offsets = False
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
