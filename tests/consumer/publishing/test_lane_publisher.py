"""Publishing of settled deliveries, without a broker."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

from consumer.dead_letter_watch import DeadLetterWatch
from consumer.lanes.lanes import Lanes
from consumer.lanes.time_order import TimeOrder
from consumer.publishing.lane_publisher import LanePublisher
from interceptor.delivery import Delivery, Record
from interceptor.outcome import DeadLetter, Skipped
from tests.consumer.commit_harness import FakePublisher
from tests.consumer.parts import parts


class FakeResults:
    """published: offsets in the order of their publication. unknown: topics without known partitions."""

    def __init__(self) -> None:
        self.published: list[int] = []
        self.unknown: set[str] = set()

    def knows_partitions(self, topic: str) -> bool:
        return topic not in self.unknown

    def publish(self, delivery: Delivery) -> None:
        self.published.append(delivery.record.offset)

    def count(self) -> None: ...


def lane_publisher(
    lanes: Lanes, results: Any, watch: DeadLetterWatch, joined: tuple[str, ...] = ()
) -> LanePublisher:
    """A lane publisher whose publisher is ready, and which no commit holds."""
    publisher = FakePublisher(commits_offsets=True)
    return LanePublisher(
        parts(publisher=publisher, results=results, dead_letters=watch),
        lanes,
        Mock(holds_results=False),
        TimeOrder((), lambda *_: True),
        joined,
    )


def test_nothing_more_is_published_of_a_paused_topic() -> None:
    results = FakeResults()
    lanes, watch = Lanes(), DeadLetterWatch("dead", 3, lambda: 0.0)
    publisher = lane_publisher(lanes, results, watch)
    lanes.assign([("bad", 0), ("good", 0)])
    lanes.add(Record("bad", 0, offset, 0, None, b"", []) for offset in range(10))
    lanes.add(Record("good", 0, offset, 0, None, b"", []) for offset in range(100, 110))
    for lane in lanes:
        for delivery in lane.unpublished:
            is_bad = delivery.record.topic == "bad"
            delivery.outcome = DeadLetter("no event", kind="not_an_event") if is_bad else Skipped("none")
            delivery.is_done = True
    publisher.publish()
    publisher.publish()
    assert results.published == [0, 1, 2, *range(100, 110)]
    assert list(watch.paused) == ["bad"]
    bad, good = lanes
    assert (len(bad.published), len(bad.unpublished)) == (3, 7)  # three are committed, seven stay in Kafka
    assert (len(good.published), len(good.unpublished)) == (10, 0)


def test_topics_that_are_joined_are_published_together() -> None:
    results = FakeResults()
    lanes, watch = Lanes(), DeadLetterWatch("dead", 3, lambda: 0.0)
    topics = ("readings", "forecasts")
    publisher = lane_publisher(lanes, results, watch, topics)
    lanes.assign([(topic, 0) for topic in topics])
    lanes.add(Record(topic, 0, place, 0, None, b"", []) for place, topic in enumerate(topics))
    for lane in lanes:
        for delivery in lane.unpublished:
            delivery.outcome, delivery.is_done = Skipped("joined"), True
    results.unknown.add("forecasts")
    publisher.publish()
    assert results.published == []
    results.unknown.clear()
    publisher.publish()
    assert results.published == [0, 1]
