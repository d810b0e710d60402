"""Finishes what is in flight of lanes: at a stop, and before a partition goes to another consumer."""

from __future__ import annotations

import time

from consumer.intake import Intake
from consumer.lanes.batches import Batches
from consumer.lanes.lane import Lane
from consumer.lanes.ticks import Ticks
from consumer.publishing.commits import Commits
from consumer.publishing.lane_publisher import LanePublisher
from consumer.state.writer import StateWriter


class Drain:
    """Owned by the loop, and used by its thread only."""

    def __init__(
        self,
        intake: Intake,
        batches: Batches,
        lane_publisher: LanePublisher,
        commits: Commits,
        ticks: Ticks,
        state: StateWriter,
    ) -> None:
        self._intake = intake
        self._batches = batches
        self._lane_publisher = lane_publisher
        self._commits = commits
        self._ticks = ticks
        self._state = state

    def finish(self, lanes: list[Lane], within_s: float, *, in_rebalance: bool = False) -> None:
        """Settle, publish and commit what the chain has of these lanes. What takes longer than `within_s` is dropped.

        in_rebalance: no poll is possible. Raises ConsumerError, or what the chain raised.
        """
        deadline_s = time.monotonic() + within_s
        for lane in lanes:
            lane.drop_waiting()
            self._ticks.add(lane)  # so that its state is written
        self._batches.submit_now(lanes)
        while self._is_unfinished(lanes) and time.monotonic() < deadline_s:
            if not in_rebalance:
                self._intake.complete_commits()
            self._batches.collect()
            self._lane_publisher.publish()
            self._commits.advance(now=True, in_rebalance=in_rebalance)
            self._intake.wait_for_result()

    def _is_unfinished(self, lanes: list[Lane]) -> bool:
        if self._commits.holds_results or self._state.has_unacknowledged:
            return True
        assigned = [lane for lane in lanes if not lane.is_dropped]  # a poll may take some away
        if any(lane.published or self._lane_publisher.can_publish(lane) for lane in assigned):
            return True
        return self._batches.has_any_of(assigned)
