"""Commits: which results and offsets a commit covers, and in which steps it is made."""

from __future__ import annotations

from math import inf

import pytest

from interceptor.delivery import StateRecord
from tests.consumer.commit_harness import PARTITION, Harness


def test_a_commit_covers_the_results_that_were_published_before_it_began(exact):
    exact.publish(0, 1, 2)
    exact.commits.advance(now=True)
    assert exact.commits.is_in_progress
    exact.end_step()
    assert exact.publisher.committed == [({PARTITION: 3}, "metadata")]
    assert exact.reported == [{PARTITION: 3}]
    assert exact.lanes.published() == 0


def test_nothing_is_committed_without_membership_in_the_group(exact):
    """The broker does not check offsets that come without a member id."""
    exact.publish(0)
    exact.group.metadata = None
    exact.commits.advance(now=True)
    assert not exact.commits.is_in_progress
    exact.group.metadata = "of a member again"
    exact.commits.advance(now=True)
    exact.end_step()
    assert exact.publisher.committed == [({PARTITION: 1}, "of a member again")]


def test_at_least_once_commits_offsets_after_the_broker_has_acknowledged_the_results(at_least):
    at_least.publish(0)
    at_least.commits.advance(now=True)
    assert at_least.group.commits == []
    at_least.end_step()
    assert at_least.group.commits == [{PARTITION: 1}]
    assert at_least.reported == []
    assert at_least.commits.ends_in_poll
    at_least.group.answer.set_result(None)
    at_least.commits.advance()
    assert at_least.reported == [{PARTITION: 1}]
    assert not at_least.commits.is_in_progress


def test_results_published_while_offsets_are_committed_belong_to_the_next_commit(at_least):
    at_least.publish(0, 1)
    at_least.commits.advance(now=True)
    assert at_least.commits.holds_results  # the broker has not acknowledged them
    at_least.end_step()
    assert not at_least.commits.holds_results
    at_least.publish(2)
    at_least.group.answer.set_result(None)
    at_least.commits.advance()
    assert at_least.reported == at_least.group.commits == [{PARTITION: 2}]
    (lane,) = at_least.lanes
    assert [delivery.record.offset for delivery in lane.published] == [2]


def test_in_a_rebalance_offsets_are_committed_without_a_poll(at_least):
    at_least.publish(0)
    at_least.commits.advance(now=True)
    at_least.end_step()
    at_least.commits.advance(in_rebalance=True)  # only a poll would complete the commit that has begun
    assert at_least.group.commits_in_rebalance == [{PARTITION: 1}]
    assert at_least.reported == [{PARTITION: 1}]


def test_the_results_of_a_partition_that_is_taken_away_are_undone(exact):
    exact.publish(0)
    exact.commits.abandon(list(exact.lanes))
    assert exact.publisher.aborts == 1
    assert exact.lanes.published() == 0


def test_no_offset_is_committed_for_a_partition_that_was_taken_away_meanwhile(at_least):
    at_least.publish(0)
    at_least.commits.advance(now=True)
    at_least.lanes.drop([PARTITION])
    at_least.end_step()
    assert at_least.group.commits == []


def test_state_is_published_after_its_offset_is_committed_and_kept_until_it_is_acknowledged(at_least):
    at_least.state.restored(PARTITION, 0)
    at_least.publish(0)
    (lane,) = at_least.lanes
    lane.published[0].state.append(StateRecord(b"k", b"v", "assemble"))
    at_least.commits.advance(now=True)
    at_least.end_step()
    assert not at_least.state.has_unacknowledged  # the results are stored, their offset is not committed
    at_least.group.answer.set_result(None)
    at_least.commits.advance()
    assert at_least.reported == [{PARTITION: 1}]
    assert at_least.state.has_unacknowledged
    at_least.state.publish_committed()
    assert len(at_least.publisher.published) == 1
    at_least.commits.advance(now=True)  # nothing but state
    at_least.end_step()
    assert not at_least.state.has_unacknowledged
    assert at_least.reported == [{PARTITION: 1}]


def test_the_loop_may_wait_until_the_next_commit_is_due(exact: Harness):
    assert exact.commits.due_in_s == inf
    exact.publish(0)
    exact.commits.advance()
    assert exact.commits.due_in_s == inf  # the end of the commit wakes the loop
    exact.publisher.settle_s = 0.01
    exact.end_step()
    assert exact.commits.holds_results
    assert exact.commits.due_in_s == pytest.approx(0.01)
    exact.now_s += 0.01
    exact.publish(1)
    assert not exact.commits.holds_results
    assert exact.commits.due_in_s == pytest.approx(0.04)


def test_nothing_is_committed_before_it_is_due(exact):
    exact.publish(0)
    exact.commits.advance(now=True)
    exact.end_step()
    exact.publish(1)
    exact.now_s += 0.049
    exact.commits.advance()
    assert not exact.commits.is_in_progress
    exact.now_s += 0.002
    exact.commits.advance()
    assert exact.commits.is_in_progress
