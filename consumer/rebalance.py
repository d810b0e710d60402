"""The consumer as a member of its group: partitions come and go, and a client that lost its group is replaced."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from consumer import metrics
from consumer.drain import Drain
from consumer.lanes.lane import Partition
from consumer.lanes.lanes import Lanes
from consumer.loop_parts import LoopParts
from consumer.publishing.commits import Commits

log = logging.getLogger("fncast.consumer")

REVOKE_S = 5.0  # to finish what is in flight of a revoked partition; the rest is dropped uncommitted
# Lost partitions come back within a few seconds once the broker is back. A client can fail to join again for good.
REJOIN_S = 45.0


class Rebalance:
    """`assigned`, `revoked` and `lost` are the callbacks of a rebalance. They run inside `poll`, in the loop's thread.

    is_member: whether this consumer is a member of the group, with or without partitions; as of the last check.
    """

    def __init__(self, parts: LoopParts, lanes: Lanes, commits: Commits, drain: Drain) -> None:
        self._source = parts.source
        self._results = parts.results
        self._topics = parts.topics
        self._dead_letters = parts.dead_letters
        self._states = parts.states
        self._lanes = lanes
        self._commits = commits
        self._drain = drain
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
            self._results.forget_partitions()
            self._states.assigned(self._lanes.of(partitions))
            log.info("assigned %s", names(partitions))

    def revoked(self, partitions: list[Partition]) -> None:
        """Finish what is in flight of the partitions within a bounded time, and drop the rest. Raises ConsumerError."""
        self._drain.finish(self._lanes.of(partitions), REVOKE_S, in_rebalance=True)
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
        """Join the group with a new client if the current client has lost the group for good."""
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
