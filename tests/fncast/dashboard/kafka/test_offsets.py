"""Where a reader starts in the partitions of its topics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer

from fncast.dashboard.kafka.offsets import from_beginning, list_partitions, near_end


@pytest.fixture
def consumer(broker: Any) -> Iterator[Consumer]:
    """A client of a broker with five records in `t`."""
    for number in range(5):
        broker.publish("t", b"%d" % number)
    client = Consumer({"bootstrap.servers": broker.address, "group.id": "g", "log_level": 0})
    yield client
    client.close()


def test_the_partitions_of_topics_are_listed_in_order(consumer: Consumer, broker: Any) -> None:
    broker.publish("u", b"")
    found, missing = list_partitions(consumer, ["u", "t"])
    numbers = [number for topic, number in found if topic == "t"]
    assert numbers == sorted(numbers)
    assert [topic for topic, _ in found] == ["u"] * (len(found) - len(numbers)) + ["t"] * len(numbers)
    assert missing == {}


def test_a_topic_that_does_not_exist_is_named_and_not_created(consumer: Consumer) -> None:
    for _ in range(2):
        assert list_partitions(consumer, ["later"]) == ([], {"later": "does not exist yet"})


@pytest.mark.parametrize(("history", "start"), [(3, 2), (0, 5), (100, 0)])
def test_a_start_near_the_end_leaves_at_most_the_newest_records(
    consumer: Consumer, history: int, start: int
) -> None:
    place, end = near_end(consumer, ("t", 0), history)
    assert (place.topic, place.partition, place.offset, end) == ("t", 0, start, 5)


def test_the_beginning_is_the_first_record_that_is_there() -> None:
    place = from_beginning(("t", 3))
    assert (place.topic, place.partition, place.offset) == ("t", 3, OFFSET_BEGINNING)
