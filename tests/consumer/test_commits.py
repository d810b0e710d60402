"""Commits: what is covered, in which step, and what happens when one fails."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from math import inf

import pytest

from consumer.commits import Commits
from consumer.errors import CommitFailed, ConsumerError, NotPublished, OutcomeUnknown
from consumer.lanes import Lanes
from consumer.state.writer import StateWriter
from interceptor.delivery import Delivery, Record, StateRecord, Tick
from interceptor.outcome import Forecast

PARTITION = ("metrics", 0)


class Publisher:
    """Ends a commit when the test allows it, with the result that the test sets."""

    def __init__(self, commits_offsets: bool) -> None:
        self.commits_offsets = commits_offsets
        self.commit_interval_s = 0.05
        self.settle_s = 0.0
        self.may_end = threading.Event()
        self.error: Exception | None = None
        self.finished: list[tuple[dict, object]] = []
        self.aborts = 0
        self.is_ready = True

    def ready(self):
        return self.is_ready

    def commit(self, offsets, metadata):
        assert self.may_end.wait(5)
        if self.error:
            raise self.error
        self.finished.append((dict(offsets), metadata))

    def abort(self):
        self.aborts += 1


class Source:
    def __init__(self) -> None:
        self.commits: list[dict] = []
        self.now: list[dict] = []
        self.answer: Future[None] = Future()
        self.group_has: dict | None = None
        self.tokens: set[str] | None = None
        self.metadata: str | None = "metadata"

    def committed(self, partitions, within_s):
        return self.group_has

    def committed_tokens(self, partitions, within_s):
        return self.tokens

    def group_metadata(self):
        return self.metadata

    def commit(self, offsets):
        self.commits.append(dict(offsets))
        return self.answer

    def commit_now(self, offsets):
        self.now.append(dict(offsets))


class Harness:
    """now_s: what the clock says; the tests set it."""

    def __init__(self, exactly_once: bool) -> None:
        self.now_s = 1000.0
        self.source, self.publisher, self.lanes = Source(), Publisher(exactly_once), Lanes()
        self.committed: list[dict] = []
        self.woken = threading.Event()
        self.state = StateWriter(self.publisher, "state", "group")
        self.commits = Commits(
            self.source,
            self.publisher,
            self.lanes,
            self.committed.append,
            self.woken.set,
            self.state,
            lambda: self.now_s,
        )
        self.lanes.assign([PARTITION])

    def publish(self, *offsets: int) -> None:
        self.lanes.add(Record("metrics", 0, offset, 0, None, b"", []) for offset in offsets)
        lane, *_ = self.lanes
        for delivery in lane.take(len(offsets)):
            delivery.is_done = True
        list(lane.settled())

    def end_step(self, error: Exception | None = None) -> None:
        self.publisher.error = error
        self.woken.clear()
        self.publisher.may_end.set()
        assert self.woken.wait(5)
        self.publisher.may_end.clear()
        self.commits.advance()


@pytest.fixture(params=[True, False], ids=["exactly-once", "at-least-once"])
def harness(request):
    harness = Harness(request.param)
    yield harness
    harness.publisher.may_end.set()
    harness.commits.close(5)


@pytest.fixture
def exact():
    harness = Harness(True)
    yield harness
    harness.publisher.may_end.set()
    harness.commits.close(5)


@pytest.fixture
def at_least():
    harness = Harness(False)
    yield harness
    harness.publisher.may_end.set()
    harness.commits.close(5)


def test_a_commit_covers_what_was_published_when_it_began(exact):
    exact.publish(0, 1, 2)
    exact.commits.advance(now=True)
    assert exact.commits.is_in_progress
    exact.end_step()
    assert exact.publisher.finished == [({PARTITION: 3}, "metadata")]
    assert exact.committed == [{PARTITION: 3}]
    assert exact.lanes.published() == 0


def test_results_wait_until_the_broker_has_settled_the_transaction_before(exact):
    exact.publisher.settle_s = 0.02
    assert not exact.commits.holds_results
    exact.publish(0)
    exact.commits.advance(now=True)
    exact.end_step()
    assert not exact.commits.is_in_progress
    exact.now_s += 0.019
    assert exact.commits.holds_results
    exact.now_s += 0.002
    assert not exact.commits.holds_results


def test_nothing_is_committed_without_membership_in_the_group(exact):
    """The broker takes offsets without a member's id unchecked."""
    exact.publish(0)
    exact.source.metadata = None
    exact.commits.advance(now=True)
    assert not exact.commits.is_in_progress
    exact.source.metadata = "of a member again"
    exact.commits.advance(now=True)
    exact.end_step()
    assert exact.publisher.finished == [({PARTITION: 1}, "of a member again")]


def test_at_least_once_commits_offsets_only_behind_the_acknowledgement(at_least):
    at_least.publish(0)
    at_least.commits.advance(now=True)
    assert at_least.source.commits == []
    at_least.end_step()
    assert at_least.source.commits == [{PARTITION: 1}]
    assert at_least.committed == []
    assert at_least.commits.ends_in_poll
    at_least.source.answer.set_result(None)
    at_least.commits.advance()
    assert at_least.committed == [{PARTITION: 1}]
    assert not at_least.commits.is_in_progress


def test_at_least_once_publishes_while_offsets_are_committed_and_these_are_of_before(at_least):
    at_least.publish(0, 1)
    at_least.commits.advance(now=True)
    assert at_least.commits.holds_results  # their acknowledgements are waited for
    at_least.end_step()
    assert not at_least.commits.holds_results
    at_least.publish(2)
    at_least.source.answer.set_result(None)
    at_least.commits.advance()
    assert at_least.committed == at_least.source.commits == [{PARTITION: 2}]
    (lane,) = at_least.lanes
    assert [delivery.record.offset for delivery in lane.published] == [2]


def test_in_a_rebalance_offsets_are_committed_before_the_turn_returns(at_least):
    at_least.publish(0)
    at_least.commits.advance(now=True)
    at_least.end_step()
    at_least.commits.advance(in_rebalance=True)  # the answer to the first would come inside a poll only
    assert at_least.source.now == [{PARTITION: 1}]
    assert at_least.committed == [{PARTITION: 1}]


def test_what_was_not_published_is_published_again(harness):
    harness.publish(0, 1)
    harness.commits.advance(now=True)
    harness.end_step(NotPublished("aborted"))
    (lane,) = harness.lanes
    assert [delivery.record.offset for delivery in lane.unpublished] == [0, 1]
    assert harness.committed == harness.source.commits == []
    assert not harness.commits.is_in_progress


def test_a_failed_commit_of_offsets_is_covered_by_the_next(at_least):
    at_least.publish(0)
    at_least.commits.advance(now=True)
    at_least.end_step()
    at_least.source.answer.set_exception(CommitFailed("rebalancing"))
    at_least.commits.advance()
    assert at_least.lanes.published() == 1
    at_least.source.answer = Future()
    at_least.publish(1)
    at_least.commits.advance(now=True)
    at_least.end_step()
    assert at_least.source.commits[-1] == {PARTITION: 2}
    at_least.source.answer.set_result(None)  # else closing waits for the answer


def test_a_permanent_error_is_raised(harness):
    harness.publish(0)
    harness.commits.advance(now=True)
    with pytest.raises(ConsumerError, match="refused"):
        harness.end_step(ConsumerError("refused"))


def test_published_results_of_a_partition_that_goes_away_are_undone(exact):
    exact.publish(0)
    lanes = list(exact.lanes)
    exact.commits.abandon(lanes)
    assert exact.publisher.aborts == 1
    assert exact.lanes.published() == 0


def test_a_partition_that_went_away_meanwhile_is_not_committed_for(at_least):
    at_least.publish(0)
    at_least.commits.advance(now=True)
    at_least.lanes.drop([PARTITION])
    at_least.end_step()
    assert at_least.source.commits == []


def test_nothing_is_committed_before_it_is_due(exact):
    exact.publish(0)
    exact.commits.advance(now=True)
    exact.end_step()
    exact.publish(1)
    exact.publisher.commit_interval_s = 60
    exact.commits.advance()
    assert not exact.commits.is_in_progress


def test_while_events_wait_for_a_call_more_results_share_a_commit(exact):
    exact.publisher.commit_interval_s = 0.015
    exact.publish(0)
    exact.commits.advance(now=True)
    exact.end_step()
    exact.publish(1)
    exact.lanes.add(Record("metrics", 0, offset, 0, None, b"", []) for offset in range(2, 1002))
    exact.now_s += 0.045
    exact.commits.advance()
    assert not exact.commits.is_in_progress
    (lane,) = exact.lanes
    waiting = lane.take(1000)
    exact.commits.advance()
    assert exact.commits.is_in_progress  # nothing waits any more
    exact.end_step()
    waiting[0].is_done = True
    list(lane.settled())
    lane.put_back(waiting[1:])
    exact.now_s += 0.055
    exact.commits.advance()
    assert exact.commits.is_in_progress  # it has rested for as long as they make it


@pytest.mark.parametrize(("group_has", "is_committed"), [(2, True), (0, False), (-1001, False)])
def test_the_committed_offsets_decide_a_commit_without_an_answer(exact, group_has, is_committed):
    exact.publisher.is_ready = False
    exact.publish(0, 1)
    exact.commits.advance(now=True)
    exact.end_step(OutcomeUnknown("no answer"))
    exact.commits.advance()
    assert exact.commits.is_in_progress  # nothing may be published until it is known
    exact.publisher.is_ready = True
    exact.commits.advance()
    assert exact.commits.is_in_progress
    exact.source.group_has = {PARTITION: group_has}
    exact.commits.advance()
    assert not exact.commits.is_in_progress
    assert exact.committed == ([{PARTITION: 2}] if is_committed else [])
    (lane,) = exact.lanes
    assert len(lane.unpublished) == (0 if is_committed else 2)


def test_repeated_aborts_wait_longer_each_time_and_are_logged_once(exact, caplog):
    def holds_after(rest_s: float) -> bool:
        exact.now_s += rest_s
        return exact.commits.holds_results

    exact.commits.publish_again("refused")
    assert exact.commits.holds_results
    assert not holds_after(0.1)
    for _ in range(8):
        exact.commits.publish_again("refused")
    assert holds_after(0.9)
    assert len(caplog.records) == 1
    assert not holds_after(0.2)
    exact.commits.publish_again("refused", makes_progress=True)
    assert not holds_after(0.1)
    exact.publish(0)
    exact.commits.advance(now=True)
    exact.end_step()
    exact.commits.publish_again("another")
    assert not holds_after(0.1)


def test_after_an_unknown_outcome_each_partition_continues_from_its_committed_offset(exact):
    other = ("metrics", 1)
    exact.lanes.assign([other])
    exact.publish(0, 1)
    exact.lanes.add(Record("metrics", 1, offset, 0, None, b"", []) for offset in (7, 8, 9))
    lane, second = exact.lanes
    for delivery in second.take(3):
        delivery.is_done = True
    list(second.settled())
    exact.commits.advance(now=True)
    exact.source.group_has = {PARTITION: 2, other: 8}
    exact.end_step(OutcomeUnknown("no answer"))
    exact.commits.advance()
    assert exact.committed == [{PARTITION: 2, other: 8}]
    assert lane.events == 0
    assert [delivery.record.offset for delivery in second.unpublished] == [8, 9]


@pytest.mark.parametrize(("tokens", "is_committed"), [({"other", "this"}, True), ({"other"}, False)])
@pytest.mark.guarantee("a tick's results are published once, also after a commit without an answer")
def test_a_commit_of_a_tick_without_an_answer_is_known_by_its_token(exact, tokens, is_committed):
    """The offset of a tick was committed before, so it does not show whether the commit happened."""
    (lane,) = exact.lanes
    lane.add(Delivery(Tick("metrics", 0, 6, 0, None, None, [])))
    (tick,) = lane.take(1)
    tick.outcome, tick.is_done = Forecast([]), True
    list(lane.settled())
    exact.publisher.token = "this"
    exact.commits.advance(now=True)
    exact.source.group_has = {PARTITION: 7}
    exact.end_step(OutcomeUnknown("no answer"))
    exact.commits.advance()
    assert exact.commits.is_in_progress
    exact.source.tokens = tokens
    exact.commits.advance()
    assert not exact.commits.is_in_progress
    assert len(lane.unpublished) == (0 if is_committed else 1)


def test_state_follows_the_commit_of_its_offset_and_is_kept_until_it_is_acknowledged(at_least):
    at_least.state.restored(PARTITION, 0)
    at_least.publisher.published = []
    at_least.publisher.publish = lambda *record: at_least.publisher.published.append(record)
    at_least.publish(0)
    (lane,) = at_least.lanes
    lane.published[0].state.append(StateRecord(b"k", b"v", "assemble"))
    at_least.commits.advance(now=True)
    at_least.end_step()
    assert not at_least.state.has_unacknowledged  # the results are stored, their offset is not committed
    at_least.source.answer.set_result(None)
    at_least.commits.advance()
    assert at_least.committed == [{PARTITION: 1}]
    assert at_least.state.has_unacknowledged
    at_least.state.publish_committed()
    assert len(at_least.publisher.published) == 1
    at_least.commits.advance(now=True)  # nothing but state
    at_least.end_step()
    assert not at_least.state.has_unacknowledged
    assert at_least.committed == [{PARTITION: 1}]


def test_a_bug_in_the_commit_thread_ends_the_loop(exact):
    exact.publish(0)
    exact.commits.advance(now=True)
    with pytest.raises(RuntimeError, match="a bug"):
        exact.end_step(RuntimeError("a bug"))


def test_the_loop_may_wait_until_the_next_commit_is_due():
    harness = Harness(True)
    assert harness.commits.due_in_s == inf
    harness.publish(0)
    harness.commits.advance()
    assert harness.commits.due_in_s == inf  # the end of the commit wakes the loop
    harness.publisher.settle_s = 0.01
    harness.end_step()
    assert harness.commits.due_in_s == pytest.approx(0.01)
    harness.now_s += 0.01
    harness.publish(1)
    assert harness.commits.due_in_s == pytest.approx(0.04)
