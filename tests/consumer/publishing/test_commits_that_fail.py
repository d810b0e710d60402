"""Commits that fail: what is published again, what the next commit covers, and what ends the loop."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from consumer.errors import CommitFailed, ConsumerError, NotPublished, OutcomeUnknown
from interceptor.delivery import Delivery, Tick
from interceptor.outcome import Forecast
from tests.consumer.commit_harness import PARTITION


def test_results_that_were_not_stored_are_published_again(harness):
    harness.publish(0, 1)
    harness.commits.advance(now=True)
    harness.end_step(NotPublished("aborted"))
    (lane,) = harness.lanes
    assert [delivery.record.offset for delivery in lane.unpublished] == [0, 1]
    assert harness.reported == harness.group.commits == []
    assert not harness.commits.is_in_progress


def test_the_next_commit_covers_offsets_whose_commit_failed(at_least):
    at_least.publish(0)
    at_least.commits.advance(now=True)
    at_least.end_step()
    at_least.group.answer.set_exception(CommitFailed("rebalancing"))
    at_least.commits.advance()
    assert at_least.lanes.published() == 1
    at_least.group.answer = Future()
    at_least.publish(1)
    at_least.commits.advance(now=True)
    at_least.end_step()
    assert at_least.group.commits[-1] == {PARTITION: 2}
    at_least.group.answer.set_result(None)  # otherwise `close` waits for the answer


@pytest.mark.parametrize("error", [None, CommitFailed("rebalancing")])
def test_results_whose_offsets_are_being_committed_are_not_published_again(at_least, error):
    """The broker has stored them. Only results that were published after them are undone."""
    at_least.publish(0, 1)
    at_least.commits.advance(now=True)
    at_least.end_step()
    at_least.publish(2)
    at_least.commits.publish_again("the output topic is gone")
    assert at_least.commits.holds_results  # until the pause after a failure is over
    (lane,) = at_least.lanes
    assert [delivery.record.offset for delivery in lane.published] == [0, 1]
    assert [delivery.record.offset for delivery in lane.unpublished] == [2]
    if error is None:
        at_least.group.answer.set_result(None)
    else:
        at_least.group.answer.set_exception(error)
    at_least.commits.advance()
    assert at_least.reported == ([{PARTITION: 2}] if error is None else [])
    assert lane.events == (1 if error is None else 3)


def test_a_permanent_error_is_raised(harness):
    harness.publish(0)
    harness.commits.advance(now=True)
    with pytest.raises(ConsumerError, match="rejected"):
        harness.end_step(ConsumerError("rejected"))


def test_a_bug_in_the_commit_thread_ends_the_loop(exact):
    exact.publish(0)
    exact.commits.advance(now=True)
    with pytest.raises(RuntimeError, match="a bug"):
        exact.end_step(RuntimeError("a bug"))


def test_repeated_failures_are_logged_once_and_a_success_ends_them(exact, caplog):
    for _ in range(3):
        exact.commits.publish_again("rejected")
    assert len(caplog.records) == 1
    assert exact.commits.is_in_trouble
    assert exact.commits.holds_results
    exact.publish(0)
    exact.commits.advance(now=True)
    exact.end_step()
    assert not exact.commits.is_in_trouble


@pytest.mark.parametrize(("offset", "is_committed"), [(2, True), (0, False), (-1001, False)])
def test_the_groups_offsets_decide_about_a_commit_without_an_answer(exact, offset, is_committed):
    exact.publisher.is_ready = False
    exact.publish(0, 1)
    exact.commits.advance(now=True)
    exact.end_step(OutcomeUnknown("no answer"))
    exact.commits.advance()
    assert exact.commits.is_in_progress  # the new producer is not ready
    exact.publisher.is_ready = True
    exact.commits.advance()
    assert exact.commits.is_in_progress  # the broker does not report the offsets
    exact.group.offsets = {PARTITION: offset}
    exact.commits.advance()
    assert not exact.commits.is_in_progress
    assert exact.reported == ([{PARTITION: 2}] if is_committed else [])
    (lane,) = exact.lanes
    assert len(lane.unpublished) == (0 if is_committed else 2)


def test_after_an_unknown_outcome_each_partition_continues_from_its_committed_offset(exact):
    other = ("metrics", 1)
    exact.lanes.assign([other])
    exact.publish(0, 1)
    exact.publish(7, 8, 9, partition=1)
    lane, second = exact.lanes
    exact.commits.advance(now=True)
    exact.group.offsets = {PARTITION: 2, other: 8}
    exact.end_step(OutcomeUnknown("no answer"))
    exact.commits.advance()
    assert exact.reported == [{PARTITION: 2, other: 8}]
    assert lane.events == 0
    assert [delivery.record.offset for delivery in second.unpublished] == [8, 9]


def test_after_an_unknown_outcome_partitions_that_were_taken_away_are_not_asked_for(exact):
    exact.publish(0)
    exact.commits.advance(now=True)
    exact.lanes.drop([PARTITION])
    exact.end_step(OutcomeUnknown("no answer"))
    exact.commits.advance()
    assert not exact.commits.is_in_progress
    assert exact.reported == []


@pytest.mark.parametrize(("tokens", "is_committed"), [({"other", "this"}, True), ({"other"}, False)])
@pytest.mark.guarantee("a tick's results are published once, also after a commit without an answer")
def test_the_token_shows_whether_a_commit_of_a_tick_without_an_answer_happened(exact, tokens, is_committed):
    """The offset of a tick was committed before, so it does not show whether the commit happened."""
    (lane,) = exact.lanes
    lane.add(Delivery(Tick("metrics", 0, 6, 0, None, None, [])))
    (tick,) = lane.take(1)
    tick.outcome, tick.is_done = Forecast([]), True
    list(lane.settled())
    exact.publisher.token = "this"
    exact.commits.advance(now=True)
    exact.group.offsets = {PARTITION: 7}
    exact.end_step(OutcomeUnknown("no answer"))
    exact.commits.advance()
    assert exact.commits.is_in_progress
    exact.group.tokens = tokens
    exact.commits.advance()
    assert not exact.commits.is_in_progress
    assert len(lane.unpublished) == (0 if is_committed else 1)
