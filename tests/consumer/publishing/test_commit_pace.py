"""The pace of commits, by a clock that the tests set."""

from __future__ import annotations

import pytest

from consumer.publishing.commit_pace import MAX_ABORT_PAUSE_S, MAX_PAUSE_S, MAX_WAIT_S, CommitPace

INTERVAL_S = 0.015


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> CommitPace:
    return CommitPace(clock)


def commit(pace: CommitPace, clock: Clock, took_s: float = 0.0, settle_s: float = 0.0) -> None:
    pace.began()
    clock.now_s += took_s
    pace.ended(settle_s)


def test_the_first_commit_is_due_at_once(pace: CommitPace) -> None:
    assert pace.commit_in_s(INTERVAL_S, 0) <= 0
    assert pace.publish_in_s <= 0


def test_the_next_commit_is_due_after_the_publishers_interval(pace: CommitPace, clock: Clock) -> None:
    commit(pace, clock)
    assert pace.commit_in_s(INTERVAL_S, 0) == pytest.approx(INTERVAL_S)


@pytest.mark.parametrize(("took_s", "due_in_s"), [(0.02, 0.03), (10.0, MAX_PAUSE_S)])
def test_after_a_long_commit_the_next_one_is_due_later_within_a_bound(
    pace: CommitPace, clock: Clock, took_s: float, due_in_s: float
) -> None:
    commit(pace, clock, took_s)
    assert pace.commit_in_s(INTERVAL_S, 0) == pytest.approx(due_in_s)


@pytest.mark.parametrize(("waiting", "due_in_s"), [(10, INTERVAL_S), (1000, 0.05), (10**6, MAX_WAIT_S)])
def test_while_events_wait_for_a_call_a_commit_waits_for_more_results_within_a_bound(
    pace: CommitPace, clock: Clock, waiting: int, due_in_s: float
) -> None:
    commit(pace, clock)
    assert pace.commit_in_s(INTERVAL_S, waiting) == pytest.approx(due_in_s)


def test_results_wait_until_the_broker_has_ended_the_transaction(pace: CommitPace, clock: Clock) -> None:
    commit(pace, clock, settle_s=0.02)
    clock.now_s += 0.019
    assert pace.publish_in_s > 0
    clock.now_s += 0.002
    assert pace.publish_in_s <= 0


def test_each_failure_in_a_row_doubles_the_pause_up_to_a_bound(pace: CommitPace) -> None:
    pauses_s = []
    for _ in range(10):
        pace.undone(makes_progress=False)
        pauses_s.append(pace.publish_in_s)
    assert pauses_s[:3] == pytest.approx([0.02, 0.04, 0.08])
    assert pauses_s[-2:] == pytest.approx([MAX_ABORT_PAUSE_S, MAX_ABORT_PAUSE_S])


def test_the_pause_is_short_again_after_progress_or_a_success(pace: CommitPace, clock: Clock) -> None:
    for _ in range(10):
        pace.undone(makes_progress=False)
    clock.now_s += MAX_ABORT_PAUSE_S
    pace.undone(makes_progress=True)
    assert pace.publish_in_s == pytest.approx(0.02)
    assert pace.is_failing
    pace.succeeded()
    assert not pace.is_failing


def test_the_time_of_a_commit_in_progress_is_measured(pace: CommitPace, clock: Clock) -> None:
    pace.began()
    clock.now_s += 3.0
    assert pace.running_s == pytest.approx(3.0)
