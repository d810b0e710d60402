"""The consumer as a member of its group: partitions come and go, and a client that lost its group is replaced."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from consumer import metrics
from consumer.dead_letter_watch import DeadLetterWatch
from consumer.kafka.source.source import KafkaSource
from consumer.kafka.topics.topics import Topics
from consumer.lanes.lane import Lane, Partition
from consumer.lanes.lanes import Lanes
from consumer.publishing.commits import Commits
from consumer.publishing.result_publisher import ResultPublisher
from consumer.state.partition_states import PartitionStates

log = logging.getLogger("fncast.consumer")

# Lost partitions come back within a few seconds once the broker is back. A client can fail to join again for good.
REJOIN_S = 45.0


class Rebalance:
    """`assigned`, `revoked` and `lost` are the callbacks of a rebalance. They run inside `poll`, in the loop's thread.

    is_member: whether this consumer is a member of the group, with or without partitions; as of the last check.
    """

    def __init__(
        self,
        source: KafkaSource,
        lanes: Lanes,
        commits: Commits,
        results: ResultPublisher,
        topics: Topics,
        dead_letters: DeadLetterWatch,
        finish: Callable[[list[Lane]], None],
        states: PartitionStates,
    ) -> None:
        """finish: settles, publishes and commits what is in flight of lanes, within a bounded time."""
        self._source = source
        self._lanes = lanes
        self._commits = commits
        self._results = results
        self._topics = topics
        self._dead_letters = dead_letters
        self._finish = finish
        self._states = states
        self._lost_at_s: float | None = None
        self.is_member = False

    def assigned(self, partitions: list[Partition]) -> None:
        """Give the partitions lanes, and restore their state. Raises ConsumerError if the broker denies access."""
        self._lost_at_s = None
        self.is_member = True
        self._lanes.assign(partitions)
        self._dead_letters.assigned(partitions)
        if partitions:
            if not self._topics.all_exist:
                self._topics.prepare()  # the input topic may have been created since the start
            self._results.assigned()
            self._states.assigned(self._lanes.of(partitions))
            log.info("assigned %s", names(partitions))

    def revoked(self, partitions: list[Partition]) -> None:
        """Finish what is in flight of the partitions within a bounded time, and drop the rest. Raises ConsumerError."""
        self._finish(self._lanes.of(partitions))
        self._drop(partitions)
        log.info("revoked %s", names(partitions))

    def lost(self, partitions: list[Partition]) -> None:
        """Drop the partitions: another consumer may have them already."""
        self._drop(partitions)
        if not self._lanes.partitions:
            self._lost_at_s = time.monotonic()
        log.warning(
            "lost %s: the group has removed this consumer, or could not be reached. Records in flight are dropped"
            " uncommitted and are read again",
            names(partitions),
        )

    def check(self) -> None:
        """Join the group with a new client if this one has lost the group for good."""
        if self._source.is_cut_off():
            self.rejoin("the Kafka client has lost its connection for good")
        elif self._lost_at_s is not None and time.monotonic() - self._lost_at_s >= REJOIN_S:
            self.rejoin(f"no partitions for {REJOIN_S:.0f} s since they were lost")
        self.is_member = self._source.is_member

    def rejoin(self, reason: str) -> None:
        """Join the group with a new client. Records in flight are dropped uncommitted, and are read again.

        reason: for the log.
        """
        log.info("%s: a new client joins the group", reason)
        if self._lanes.partitions:
            self.lost(self._lanes.partitions)
        if self._lost_at_s is not None:
            self._lost_at_s = time.monotonic()
        self._source.replace_client()

    def _drop(self, partitions: list[Partition]) -> None:
        lanes = self._lanes.of(partitions)
        # librdkafka remembers a pause: if the partition were assigned here again, it would deliver nothing.
        self._source.resume([lane.partition for lane in lanes if lane.is_paused])
        self._commits.abandon(lanes)
        self._states.dropped(lanes)
        self._lanes.drop(partitions)
        for topic, partition in partitions:
            metrics.LAG.remove(topic, partition)


def names(partitions: Sequence[Partition]) -> str:
    """The partitions for a log line, for example `metrics/0, metrics/1`."""
    return ", ".join(f"{topic}/{partition}" for topic, partition in sorted(partitions)) or "nothing"
