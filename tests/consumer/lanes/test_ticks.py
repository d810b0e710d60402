"""Ticks: who gets one, when, and with which offset."""

from __future__ import annotations

import pytest

from consumer.lanes.lanes import Lanes
from consumer.lanes.ticks import Ticks
from interceptor.delivery import Record, StateRecord, Tick
from interceptor.outcome import Forecast, Skipped

PARTITION = ("telegraf", 0)


@pytest.fixture
def lanes():
    lanes = Lanes()
    lanes.assign([PARTITION, ("metrics", 0)])
    return lanes


@pytest.fixture
def ticks(lanes):
    return Ticks(lanes, lambda topic: topic == "telegraf", lambda: 12.5, lambda *_: True)


def add(lanes, offset: int, topic: str = "telegraf") -> None:
    lanes.add([Record(topic, 0, offset, 0, None, b"v", [])])


def commit_all(lanes) -> None:
    for lane in lanes:
        for delivery in lane.take(100):
            delivery.outcome, delivery.is_done = Skipped("done"), True
        lane.committed(len(list(lane.settled())))


def waiting_ticks(lanes) -> list[Tick]:
    return [d.record for lane in lanes for d in lane.waiting if isinstance(d.record, Tick)]


def test_a_partition_gets_a_tick_after_a_second_of_silence(lanes, ticks):
    add(lanes, 7)
    add(lanes, 9, "metrics")
    commit_all(lanes)
    assert not ticks.add_to_silent(100.0)
    assert not ticks.add_to_silent(100.9)
    assert ticks.add_to_silent(101.1)
    (tick,) = waiting_ticks(lanes)
    assert (tick.topic, tick.partition, tick.offset, tick.timestamp_ms) == ("telegraf", 0, 7, 12_500)
    assert not ticks.add_to_silent(105.0)  # the last one is not settled
    commit_all(lanes)
    assert not ticks.add_to_silent(105.2)
    assert ticks.add_to_silent(106.3)


def test_more_ticks_follow_sooner_so_that_steps_close_in_time(lanes, ticks):
    add(lanes, 7)
    commit_all(lanes)
    assert not ticks.add_to_silent(100.0)
    assert ticks.add_to_silent(101.0)
    commit_all(lanes)
    assert not ticks.add_to_silent(101.2)
    assert ticks.add_to_silent(101.3)


def test_a_tick_has_no_time_before_the_partition_was_read_to_its_end(lanes):
    """A step must not be closed by the clock while its readings may wait at the broker."""
    ends = {PARTITION: 7}
    ticks = Ticks(lanes, lambda _: True, lambda: 12.5, lambda partition, last: ends[partition] > last)
    add(lanes, 7)
    commit_all(lanes)
    times_ms = []
    for now_s in (100.0, 101.1, 102.2):
        ticks.add_to_silent(now_s)
        times_ms += [tick.timestamp_ms for tick in waiting_ticks(lanes)]
        ends[PARTITION] += len(times_ms)
        commit_all(lanes)
    assert times_ms == [0, 12_500]


def test_a_record_ends_the_silence(lanes, ticks):
    add(lanes, 7)
    commit_all(lanes)
    ticks.add_to_silent(100.0)
    add(lanes, 8)
    assert not ticks.add_to_silent(100.8)
    commit_all(lanes)
    assert not ticks.add_to_silent(101.5)
    assert ticks.add_to_silent(102.6)


def test_a_partition_without_any_record_gets_no_tick(lanes, ticks):
    assert not any(ticks.add_to_silent(at_s) for at_s in (100.0, 102.0, 104.0))


def test_a_restored_partition_gets_a_tick_with_the_committed_offset(lanes, ticks):
    (lane,) = lanes.of([PARTITION])
    lane.is_held = True
    ticks.add_to_silent(100.0)
    assert not ticks.add_to_silent(102.0)
    lane.release(41, [])
    ticks.add_to_silent(103.0)
    assert ticks.add_to_silent(105.0)
    assert waiting_ticks(lanes)[0].offset == 41


def test_a_tick_without_effect_needs_no_commit(lanes, ticks):
    (lane,) = lanes.of([PARTITION])
    lane.release(41, [])
    for outcome, state, published in (
        (Skipped("a tick completed nothing"), [], 0),
        (Skipped("a tick completed nothing"), [StateRecord(b"a", b"1")], 1),
        (Forecast([]), [], 1),
    ):
        ticks.add(lane)
        (delivery,) = lane.take(1)
        delivery.outcome, delivery.state, delivery.is_done = outcome, state, True
        assert len(list(lane.settled())) == published
        lane.committed(published)
        assert lane.last_offset == 41


def test_the_last_tick_of_a_lane_follows_the_deliveries_that_the_chain_has(lanes, ticks):
    for offset in (1, 2, 3, 4):
        add(lanes, offset)
    (lane,) = lanes.of([PARTITION])
    lane.take(2)
    lane.drop_waiting()
    ticks.add(lane)
    assert [d.record.offset for d in lane.unpublished] == [1, 2, 2]
    assert lane.bytes == 2
    assert [(type(d.record), d.record.timestamp_ms) for d in lane.waiting] == [(Tick, 0)]


def test_state_that_moves_is_published_with_the_next_delivery(lanes):
    (lane,) = lanes.of([PARTITION])
    moved = [StateRecord(b"m", b"1")]
    lane.release(None, moved)
    add(lanes, 5)
    add(lanes, 6)
    assert [delivery.state for delivery in lane.unpublished] == [moved, []]
    lane.release(None, moved)
    assert [delivery.state for delivery in lane.unpublished] == [moved * 2, []]
