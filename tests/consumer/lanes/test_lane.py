"""A lane: order, room, and what is given back."""

from __future__ import annotations

import pytest

from consumer.lanes.lane import HEADER_BYTES, MAX_BYTES, MAX_EVENTS, Lane
from consumer.lanes.lanes import next_offsets
from interceptor.delivery import Delivery
from tests.consumer.records import record


def lane_with(count: int) -> Lane:
    lane = Lane(("metrics", 0))
    for offset in range(count):
        lane.add(Delivery(record(offset)))
    return lane


def offsets(deliveries) -> list[int]:
    return [delivery.record.offset for delivery in deliveries]


def test_deliveries_are_published_up_to_the_first_one_that_is_not_done():
    lane = lane_with(4)
    taken = lane.take(4)
    taken[1].is_done = taken[2].is_done = True
    assert offsets(lane.settled()) == []
    taken[0].is_done = True
    assert offsets(lane.settled()) == [0, 1, 2]
    assert next_offsets({lane: 3}) == {("metrics", 0): 3}
    lane.committed(2)
    assert offsets(lane.published) == [2]
    assert offsets(lane.unpublished) == [3]


def test_results_of_an_aborted_transaction_are_published_again_first_without_a_new_call():
    lane = lane_with(3)
    for delivery in lane.take(3):
        delivery.is_done = True
    publishing = lane.settled()
    assert offsets([next(publishing), next(publishing)]) == [0, 1]
    lane.aborted()
    assert offsets(lane.settled()) == [0, 1, 2]
    assert not lane.waiting


def test_deliveries_that_were_left_unsettled_go_first_in_the_next_batch():
    lane = lane_with(4)
    lane.put_back(lane.take(2))
    assert offsets(lane.take(3)) == [0, 1, 2]


def test_deliveries_of_overlapping_batches_are_put_back_in_the_order_of_the_lane():
    """A later batch may end first."""
    lane = lane_with(6)
    first, second, third = lane.take(2), lane.take(1), lane.take(2)
    for deliveries in (second, first, third):
        lane.put_back(deliveries)
    assert offsets(lane.take(6)) == [0, 1, 2, 3, 4, 5]


def test_room_is_bounded_by_events_and_by_bytes_and_comes_back_at_half():
    lane = lane_with(MAX_EVENTS - 1)
    assert not lane.is_full
    lane.add(Delivery(record(MAX_EVENTS)))
    assert lane.is_full
    for delivery in lane.take(MAX_EVENTS):
        delivery.is_done = True
    list(lane.settled())
    assert lane.is_full  # what is published still waits for its commit
    lane.committed(len(lane.published))
    assert lane.has_room_again
    lane.add(Delivery(record(0, value=b"x" * MAX_BYTES)))
    assert lane.is_full


@pytest.mark.parametrize(
    ("part", "content"),
    [("headers", [("name", b"value")] * (MAX_BYTES // HEADER_BYTES + 1)), ("key", b"k" * MAX_BYTES)],
    ids=["headers", "key"],
)
def test_headers_and_keys_take_room_until_their_record_is_committed(part, content):
    lane = Lane(("metrics", 0))
    full = record(0)
    setattr(full, part, content)
    lane.add(Delivery(full))
    assert lane.is_full
    lane.take(1)[0].is_done = True
    list(lane.settled())
    lane.committed(1)
    assert lane.bytes == 0


def test_a_committed_delivery_and_its_windows_do_not_refer_to_each_other():
    lane = lane_with(2)
    first, second = lane.take(2)
    for delivery in (first, second):
        delivery.windows, delivery.is_done = [Delivery(delivery.record, 0, delivery)], True
    list(lane.settled())
    lane.committed(1)
    assert first.windows is None
    assert second.windows  # it may have to be published again
