"""Publishes the settled deliveries of the lanes, in input order per partition."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

from consumer.errors import NotPublished
from consumer.lanes.lane import Lane
from consumer.lanes.lanes import Lanes
from consumer.lanes.time_order import TimeOrder
from consumer.loop_parts import LoopParts
from consumer.publishing.commits import Commits
from interceptor.delivery import Delivery


class LanePublisher:
    """Decides which deliveries are published next. Owned by the loop, and used by its thread only."""

    def __init__(
        self,
        parts: LoopParts,
        lanes: Lanes,
        commits: Commits,
        time_order: TimeOrder,
        joined: Collection[str] = (),
    ) -> None:
        """joined: topics whose records the chain joins. None of them is published while another one cannot be."""
        self._publisher = parts.publisher
        self._results = parts.results
        self._dead_letters = parts.dead_letters
        self._state = parts.states.writer
        self._lanes = lanes
        self._commits = commits
        self._time_order = time_order
        self._joined = frozenset(joined)

    def publish(self) -> None:
        """Publish settled deliveries, in order. A commit in progress covers earlier results only, so wait for it.

        Raises ConsumerError.
        """
        if self._commits.holds_results or not self._publisher.ready():
            return
        try:
            self._state.publish_committed()
            for lane in self._lanes:
                if self.can_publish(lane):
                    self._publish_each(lane.settled())
            for topic in self._time_order.topics:
                if self._is_open(topic):
                    lanes = [lane for lane in self._lanes if lane.partition[0] == topic]
                    self._publish_each(self._time_order.settled(lanes, time.monotonic()))
        except NotPublished as failure:
            self._commits.publish_again(str(failure), makes_progress=self._results.has_found_rejected())
        self._results.count()

    def _publish_each(self, deliveries: Iterable[Delivery]) -> None:
        """Publish deliveries up to one after which their topic is paused."""
        for delivery in deliveries:
            self._results.publish(delivery)
            if self._dead_letters.published(delivery):
                break

    def can_publish(self, lane: Lane) -> bool:
        """Whether the lane's first delivery can be published now.

        The lane does not wait for others, its topic is not paused, and the partitions of the output topics are known.
        """
        return lane.has_settled and not self._time_order.applies_to(lane) and self._is_open(lane.partition[0])

    def _is_open(self, topic: str) -> bool:
        """Whether results of the topic, and of those joined with it, may be published."""
        topics = self._joined if topic in self._joined else (topic,)
        return all(
            not self._dead_letters.is_paused(each) and self._results.knows_partitions(each) for each in topics
        )
