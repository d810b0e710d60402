"""Lanes: room and batches, shared out among the assigned partitions."""

from __future__ import annotations

import pytest

from consumer.lanes.lane import MAX_BYTES, MAX_EVENTS
from consumer.lanes.lanes import MAX_ALL_EVENTS, PAUSE_AFTER_S, Lanes
from tests.consumer.records import record


def test_partitions_share_the_bound_of_all_lanes():
    lanes = Lanes()
    lanes.assign([("metrics", number) for number in range(64)])
    few = MAX_EVENTS // 2
    lanes.add(record(offset) for offset in range(few))
    assert lanes.flow(now_s=0).has_room  # one may hold more than its share while there is room
    for number in range(1, MAX_ALL_EVENTS // few):
        lanes.add(record(offset, number) for offset in range(few))
    assert not lanes.flow(now_s=1).has_room
    late = lanes.flow(now_s=1 + 2 * PAUSE_AFTER_S)
    assert late.pause == [("metrics", number) for number in range(MAX_ALL_EVENTS // few)]
    assert late.resume == []
    assert lanes.flow(now_s=2).has_room  # those that hold less than their share continue
    assert sum(lane.max_events for lane in lanes) <= MAX_ALL_EVENTS
    lanes.drop([("metrics", number) for number in range(1, 64)])
    assert lanes.flow(now_s=3).resume == [("metrics", 0)]


def test_a_full_lane_holds_back_the_poll_and_is_then_paused_alone():
    lanes = Lanes()
    lanes.assign([("metrics", number) for number in range(4)])
    lanes.add(record(offset) for offset in range(MAX_EVENTS))
    assert not lanes.flow(now_s=10).has_room
    late = lanes.flow(now_s=10 + 2 * PAUSE_AFTER_S)
    assert (late.pause, late.resume) == ([("metrics", 0)], [])
    assert lanes.flow(now_s=11).has_room  # the others continue
    (lane,) = lanes.of([("metrics", 0)])
    for delivery in lane.take(MAX_EVENTS):
        delivery.is_done = True
    list(lane.settled())
    lane.committed(len(lane.published))
    assert lanes.flow(now_s=12).resume == [("metrics", 0)]


def test_a_full_lane_whose_partitions_wait_for_each_other_is_paused_at_once():
    """A wait would stop the poll of the partition that the full one waits for."""
    lanes = Lanes({"metrics"})
    lanes.assign([("metrics", 0), ("metrics", 1)])
    lanes.add(record(offset) for offset in range(2 * MAX_EVENTS))
    flow = lanes.flow(0.0)
    assert (flow.has_room, flow.pause) == (True, [("metrics", 0)])
    assert lanes.flow(0.1).pause == []


@pytest.mark.parametrize(("partitions", "most"), [(1, 2 * MAX_EVENTS), (2, 2 * MAX_EVENTS), (3, MAX_EVENTS)])
def test_few_partitions_hold_more_each(partitions, most):
    lanes = Lanes()
    lanes.assign([("metrics", number) for number in range(partitions)])
    lanes.add(record(offset) for offset in range(most - 1))
    assert lanes.flow(now_s=0).has_room
    lanes.add([record(most - 1)])
    assert not lanes.flow(now_s=0).has_room


@pytest.mark.parametrize(("partitions", "most"), [(1, 2 * MAX_BYTES), (2, 2 * MAX_BYTES), (3, MAX_BYTES)])
def test_few_partitions_hold_more_bytes_each(partitions, most):
    lanes = Lanes()
    lanes.assign([("metrics", number) for number in range(partitions)])
    lanes.add([record(0, value=b"x" * (most - 1))])
    assert lanes.flow(now_s=0).has_room
    lanes.add([record(1)])
    assert not lanes.flow(now_s=0).has_room


def test_a_batch_is_shared_out_among_partitions():
    lanes = Lanes()
    lanes.assign([("metrics", 0), ("metrics", 1)])
    lanes.add(record(offset) for offset in range(100))
    lanes.add([record(0, partition=1)])
    parts = {lane.partition[1]: len(deliveries) for lane, deliveries in lanes.take(10)}
    assert parts == {0: 9, 1: 1}


def test_records_of_a_partition_that_was_revoked_are_left_to_its_next_owner():
    lanes = Lanes()
    lanes.assign([("metrics", 0)])
    (lane,) = lanes
    lanes.drop([("metrics", 0)])
    lanes.add([record(0)])
    assert lane.is_dropped
    assert lanes.waiting() == lanes.in_flight() == 0
