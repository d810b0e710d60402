"""Finishing what is in flight, without a broker."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

from consumer.drain import Drain
from consumer.intake import Intake
from consumer.lanes.lanes import Lanes
from consumer.state.writer import StateWriter
from interceptor.delivery import Delivery, Record
from interceptor.outcome import Skipped


class EmptyBatches:
    """The chain has no batch."""

    def submit_now(self, lanes: Any) -> None: ...

    def collect(self) -> None: ...

    def has_any_of(self, lanes: Any) -> bool:
        return False


class NoTicks:
    """No partition has state."""

    def add(self, lane: Any) -> None: ...


class CommitInProgress:
    """Commits: one is in progress, and ends in the first turn."""

    def __init__(self, lanes: Lanes) -> None:
        self.holds_results = True
        self._lanes = lanes

    def advance(self, *, now: bool, in_rebalance: bool) -> None:
        if self.holds_results:
            self.holds_results = False
            return
        for lane in self._lanes:
            lane.committed(len(lane.published))


class FakeLanePublisher:
    """Publishes at once, except during a commit."""

    def __init__(self, lanes: Lanes, commits: CommitInProgress) -> None:
        self.published: list[Delivery] = []
        self._lanes, self._commits = lanes, commits

    def can_publish(self, lane: Any) -> bool:
        return bool(lane.has_settled)

    def publish(self) -> None:
        if not self._commits.holds_results:
            self.published += [delivery for lane in self._lanes for delivery in lane.settled()]


def lanes_with_a_settled_delivery() -> Lanes:
    lanes = Lanes()
    lanes.assign([("telegraf", 0)])
    lanes.add([Record("telegraf", 0, 7, 0, None, b"", [])])
    (lane,) = lanes
    (delivery,) = lane.take(1)
    delivery.outcome, delivery.is_done = Skipped("stored"), True
    return lanes


def test_deliveries_settled_during_the_last_commit_are_published_before_the_end() -> None:
    lanes = lanes_with_a_settled_delivery()
    (lane,) = lanes
    (delivery,) = lane.unpublished
    commits: Any = CommitInProgress(lanes)
    publisher: Any = FakeLanePublisher(lanes, commits)
    batches: Any = EmptyBatches()
    ticks: Any = NoTicks()
    state = StateWriter(Mock(commits_offsets=True), "state", "group")
    drain = Drain(Mock(spec=Intake), batches, publisher, commits, ticks, state)
    drain.finish([lane], 5.0, in_rebalance=True)
    assert publisher.published == [delivery]
    assert lane.events == 0


def test_a_stop_does_not_wait_for_a_partition_that_is_taken_away_meanwhile() -> None:
    lanes = lanes_with_a_settled_delivery()
    (lane,) = lanes
    commits: Any = Mock(holds_results=False)
    publisher: Any = Mock(can_publish=lambda lane: lane.has_settled)
    intake = Mock(spec=Intake)
    intake.complete_commits.side_effect = lambda: lanes.drop([lane.partition])
    batches: Any = EmptyBatches()
    ticks: Any = NoTicks()
    state = StateWriter(Mock(commits_offsets=True), "state", "group")
    Drain(intake, batches, publisher, commits, ticks, state).finish([lane], 60.0)
    assert intake.complete_commits.call_count == 1
