"""Taking records into the lanes, without a broker."""

from __future__ import annotations

import threading
from math import inf
from typing import Any

import pytest

from consumer.intake import IDLE_POLL_S, POLL_EVENTS, Intake
from consumer.lanes.lanes import PAUSE_AFTER_S, Lanes
from interceptor.delivery import Record
from tests.consumer.records import record


class FakeSource:
    """records: what the next poll returns."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.polls: list[tuple[int, float]] = []
        self.paused: list[Any] = []
        self.has_problem = True

    def poll(self, most: int, timeout_s: float) -> list[Record]:
        self.polls.append((most, timeout_s))
        return self.records

    def pause(self, partitions: list[Any]) -> None:
        self.paused += partitions

    def resume(self, partitions: list[Any]) -> None:
        for partition in partitions:
            self.paused.remove(partition)

    def clear_problem(self) -> None:
        self.has_problem = False


class FakeBatches:
    is_empty = True
    arrivals = 0

    def idle_s(self, now_s: float, most_s: float) -> float:
        return most_s

    def records_arrived(self) -> None:
        self.arrivals += 1


class FakeCommits:
    holds_results = ends_in_poll = False
    due_in_s = inf


class Harness:
    def __init__(self) -> None:
        self.source, self.lanes, self.batches, self.commits = (
            FakeSource(),
            Lanes(),
            FakeBatches(),
            FakeCommits(),
        )
        self.lanes.assign([("metrics", 0)])
        (self.lane,) = self.lanes
        self.result_arrived = threading.Event()
        self.intake = Intake(
            self.source,  # type: ignore[arg-type]
            self.lanes,
            self.batches,  # type: ignore[arg-type]
            self.commits,  # type: ignore[arg-type]
            self.result_arrived,
        )

    def fill_lane(self) -> None:
        self.lanes.add(record(offset) for offset in range(self.lane.max_events))


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_records_that_arrive_wait_in_their_lane_for_a_batch(harness: Harness) -> None:
    harness.source.records = [record(0), record(1)]
    harness.intake.receive()
    assert [delivery.record.offset for delivery in harness.lane.waiting] == [0, 1]
    assert harness.batches.arrivals == 1
    assert not harness.source.has_problem


def test_while_nothing_is_in_flight_the_poll_waits_for_a_record(harness: Harness) -> None:
    harness.intake.receive()
    assert harness.source.polls == [(POLL_EVENTS, IDLE_POLL_S)]
    assert harness.batches.arrivals == 0
    assert harness.source.has_problem


def test_while_something_is_in_flight_the_poll_does_not_wait(harness: Harness) -> None:
    harness.batches.is_empty = False
    harness.result_arrived.set()
    harness.intake.receive()
    assert harness.source.polls == [(POLL_EVENTS, 0)]
    assert not harness.result_arrived.is_set()  # its result was waited for


def test_full_lanes_are_not_polled_for(harness: Harness) -> None:
    harness.fill_lane()
    polled_at_s = harness.intake.polled_at_s
    harness.intake.receive()
    assert harness.source.polls == []
    assert harness.intake.polled_at_s == polled_at_s


def test_full_lanes_poll_for_the_answer_to_a_commit_and_for_one_record_at_most(harness: Harness) -> None:
    harness.fill_lane()
    harness.commits.ends_in_poll = harness.commits.holds_results = True
    harness.intake.receive()
    assert harness.source.polls == [(1, 0)]


def test_a_poll_that_completes_commits_leaves_its_records_to_a_later_reader(harness: Harness) -> None:
    harness.source.records = [record(0)]
    harness.intake.complete_commits()
    assert harness.source.polls == [(1, 0)]
    assert harness.lane.events == 0


def test_a_lane_that_stays_full_is_paused_until_it_has_room_again(harness: Harness) -> None:
    harness.fill_lane()
    harness.intake.receive()
    assert harness.lane.full_since_s is not None
    harness.lane.full_since_s -= PAUSE_AFTER_S
    harness.intake.receive()
    assert harness.source.paused == [("metrics", 0)]
    assert harness.source.polls == [(POLL_EVENTS, IDLE_POLL_S)]  # polling keeps the membership
    harness.lane.drop_waiting()
    harness.intake.receive()
    assert harness.source.paused == []
