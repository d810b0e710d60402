"""Publishes the settled deliveries of the lanes, in input order per partition."""

from __future__ import annotations

from consumer.commits import Commits
from consumer.dead_letter_watch import DeadLetterWatch
from consumer.errors import NotPublished
from consumer.kafka.publisher import Publisher
from consumer.lane import Lane
from consumer.lanes import Lanes
from consumer.result_publisher import ResultPublisher
from consumer.state.writer import StateWriter


class LanePublisher:
    """Owned by the loop, and used by its thread only."""

    def __init__(
        self,
        lanes: Lanes,
        publisher: Publisher,
        results: ResultPublisher,
        commits: Commits,
        dead_letters: DeadLetterWatch,
        state: StateWriter,
    ) -> None:
        self._lanes = lanes
        self._publisher = publisher
        self._results = results
        self._commits = commits
        self._dead_letters = dead_letters
        self._state = state

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
                    for delivery in lane.settled():
                        self._results.publish(delivery)
                        if self._dead_letters.published(delivery):
                            break
        except NotPublished as failure:
            self._commits.publish_again(str(failure), makes_progress=self._results.has_found_refused())
        self._results.count()

    def can_publish(self, lane: Lane) -> bool:
        """Whether the lane has settled deliveries, its topic is not paused, and the output topic is known."""
        topic = lane.partition[0]
        is_paused = self._dead_letters.is_paused(topic)
        return lane.has_settled and not is_paused and self._results.knows_partitions(topic)
