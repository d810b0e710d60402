"""Partitions that are published in the order of their records' timestamps."""

from __future__ import annotations

import pytest

from consumer.lanes.lane import Lane
from consumer.lanes.time_order import WAIT_S, TimeOrder
from interceptor.delivery import Delivery, Record
from interceptor.outcome import Skipped


@pytest.fixture
def lanes():
    return [Lane(("t", number)) for number in range(3)]


def add(lane: Lane, *times_ms: int, is_done: bool = True) -> None:
    for at_ms in times_ms:
        last = lane.last_offset
        delivery = Delivery(Record(*lane.partition, 0 if last is None else last + 1, at_ms, None, b"", []))
        delivery.outcome, delivery.is_done = Skipped("done"), is_done
        lane.add(delivery)


def times(order: TimeOrder, lanes, now_s: float = 0.0) -> list[int]:
    return [delivery.record.timestamp_ms for delivery in order.settled(lanes, now_s)]


def test_the_earliest_record_of_all_partitions_is_next(lanes):
    order = TimeOrder({"t"}, lambda *_: True)
    add(lanes[0], 10, 30, 20, 60)
    add(lanes[1], 15, 40)
    assert times(order, lanes) == [10, 15, 30, 20, 40, 60]
    assert [len(lane.published) for lane in lanes] == [4, 2, 0]


def test_records_of_one_timestamp_are_in_the_order_of_their_readings(lanes):
    order = TimeOrder({"t"}, lambda *_: True)
    for number, readings in enumerate(([1, 4, 5], [2, 3, 6])):
        add(lanes[number], 10, 10, 10)
        for delivery, time_ns in zip(lanes[number].unpublished, readings, strict=True):
            delivery.first_reading_ns = time_ns
    assert [delivery.first_reading_ns for delivery in order.settled(lanes, 0.0)] == [1, 2, 3, 4, 5, 6]


def test_a_partition_that_was_not_read_to_its_end_is_waited_for(lanes):
    ends = {("t", 0): 99, ("t", 1): 1, ("t", 2): 0}
    order = TimeOrder({"t"}, lambda partition, last: ends[partition] > last)
    add(lanes[0], 10, 20, 30)
    add(lanes[1], 15)
    assert times(order, lanes) == [10, 15, 20, 30]  # partition 1 has no second record, partition 2 none
    add(lanes[0], 40)
    add(lanes[1], 25)
    assert times(order, lanes) == [25]
    add(lanes[1], 35, 45)
    ends[("t", 1)] = 4
    assert times(order, lanes) == [35, 40, 45]


def test_a_result_that_is_not_settled_holds_the_later_ones(lanes):
    order = TimeOrder({"t"}, lambda *_: True)
    add(lanes[0], 10)
    add(lanes[1], 15, is_done=False)
    add(lanes[2], 20)
    assert times(order, lanes) == [10]


def test_the_wait_for_a_partition_without_records_is_bounded(lanes, caplog):
    order = TimeOrder({"t"}, lambda partition, _: partition != ("t", 1))
    add(lanes[0], 10)
    assert times(order, lanes, 100.0) == []
    assert times(order, lanes, 100.0 + WAIT_S) == [10]
    assert "t/1 returned no records for 10 s" in caplog.text


def test_a_partition_that_is_assigned_again_is_waited_for_again(lanes):
    order = TimeOrder({"t"}, lambda partition, _: partition != ("t", 1))
    add(lanes[0], 10)
    assert times(order, lanes, 100.0) == []
    lanes[1] = Lane(("t", 1), generation=2)
    assert times(order, lanes, 100.0 + WAIT_S) == []
    assert times(order, lanes, 100.0 + 2 * WAIT_S) == [10]
