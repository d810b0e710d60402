"""The consumer's main loop: poll -> chain -> publish -> commit.

One thread makes all calls to Kafka, except commits. The chain runs in an event loop, and its calls overlap. Results are
published in input order per partition. Offsets are committed only up to the last result that the broker has stored.
Everything is bounded: lanes by events and bytes, batches in flight by a setting.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Collection, Sequence

from consumer.drain import Drain
from consumer.errors import GaveUp
from consumer.intake import Intake
from consumer.lag import Lag
from consumer.lanes.batches import Batches, Batching
from consumer.lanes.lane import Partition
from consumer.lanes.lanes import Lanes
from consumer.lanes.ticks import Ticks
from consumer.lanes.time_order import TimeOrder
from consumer.loop_parts import LoopParts
from consumer.publishing.commits import Commits
from consumer.publishing.lane_publisher import LanePublisher
from consumer.rebalance import Rebalance
from consumer.topic_changes import TopicChanges
from interceptor.chain import Chain
from interceptor.contract import Offsets

log = logging.getLogger("fncast.consumer")

STOP_S = 2.0  # to finish what is in flight; a stop takes less than 5 s in all
CLOSE_S = 0.5  # for the last calls to a broker that may not answer
START_RETRY_S = 0.5
MAINTAIN_S = 2.0
SILENT_S = 3.0  # a broker that has not answered for so long is a problem


class Loop:
    """One consumer. `run` blocks its thread. Any thread may call `stop`, and read the properties."""

    def __init__(
        self,
        parts: LoopParts,
        chain: Chain,
        event_loop: asyncio.AbstractEventLoop,
        batching: Batching,
        by_time: Collection[str] = (),
        joined: Collection[str] = (),
    ) -> None:
        """event_loop: runs the chain. by_time: input topics whose partitions are published in the order of timestamps.

        joined: input topics whose results of a batch are published together.
        """
        source, state = parts.source, parts.states.writer
        self._parts = parts
        self._chain = chain
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._stop_by_s = float("inf")
        self._maintain_at_s = 0.0
        self._inputs: frozenset[str] = frozenset()
        wake = self._wake.set
        self._lanes = Lanes(by_time)
        self._batches = Batches(self._lanes, chain, event_loop, batching, wake, bool(joined))
        self._commits = Commits(source, parts.publisher, self._lanes, self._on_commit, wake, state)
        self._intake = Intake(source, self._lanes, self._batches, self._commits, self._wake)
        time_order = TimeOrder(by_time, source.is_at_end)
        self._lane_publisher = LanePublisher(parts, self._lanes, self._commits, time_order, joined)
        self._ticks = Ticks(self._lanes, parts.states.keeps, time.time, source.is_at_end)
        self._drain = Drain(
            self._intake, self._batches, self._lane_publisher, self._commits, self._ticks, state
        )
        self._rebalance = Rebalance(parts, self._lanes, self._commits, self._drain)
        self._topic_changes = TopicChanges(parts, self._lanes, self._rebalance.rejoin)
        self._lag = Lag(self._lanes, source, parts.topics)

    def run(self, topics: Sequence[str]) -> None:
        """Consume until `stop`. Raises ConsumerError or what an interceptor raised; commits nothing unfinished."""
        try:
            if not self._connect():
                return
            self._inputs = frozenset(topics)
            group = self._rebalance
            self._parts.source.subscribe(topics, group.assigned, group.revoked, group.lost)
            while not self._stopping.is_set():
                self._intake.receive()
                self._parts.states.advance(self._batches.records_arrived)
                if self._ticks.add_to_silent(time.monotonic()):
                    self._batches.records_arrived()
                self._batches.submit()
                self._batches.collect()
                self._lane_publisher.publish()
                self._commits.advance()
                self._topic_changes.handle(self._inputs, time.monotonic())
                self._maintain()
            self._drain.finish(list(self._lanes), self._stop_by_s - time.monotonic())
        except GaveUp as reason:
            log.warning("%s", reason)
        finally:
            self._close()

    def stop(self) -> None:
        """Finish what is in flight, or leave it uncommitted; leave the group, and return from `run`."""
        self._stop_by_s = time.monotonic() + STOP_S
        self._parts.publisher.give_up_at(self._stop_by_s)
        self._stopping.set()
        self._wake.set()

    @property
    def polled_at_s(self) -> float:
        """The monotonic time of the last poll or, before the first one, of the last attempt to reach the broker."""
        return self._intake.polled_at_s

    @property
    def is_member(self) -> bool:
        """Whether this consumer is a member of its group, with or without partitions."""
        return self._rebalance.is_member

    @property
    def problem(self) -> str:
        """Why this consumer cannot work: the broker is silent, a topic is missing, or it is not a member of its group.

        Empty if it can.
        """
        watch, now_s = self._parts.topics.watch, time.monotonic()
        if watch is not None and (silent_s := watch.silent_s(now_s)) >= SILENT_S:
            return f"the broker has not answered for {silent_s:.0f} s"
        if missing := self._parts.topics.missing:
            return f"results wait for the missing topic {', '.join(sorted(missing))}"
        if self.is_member:
            return ""
        if self._parts.topics.problem:
            return self._parts.topics.problem
        if not self._inputs:
            return "the broker does not accept transactions yet"
        return self._parts.source.problem or "it has not joined its group yet"

    @property
    def restoring(self) -> str:
        """Why some partitions wait for their state to be restored; empty if none does."""
        return self._parts.states.problem

    @property
    def paused(self) -> dict[str, str]:
        """By topic the reason why it is not read any further."""
        return self._parts.dead_letters.paused

    @property
    def partitions(self) -> list[Partition]:
        """The partitions that the group has assigned to this consumer."""
        return self._lanes.partitions

    def _connect(self) -> bool:
        """Wait for the broker, however long it takes. Returns False if `stop` came first."""
        sizes = None
        while not self._stopping.is_set():
            self._intake.polled_at_s = time.monotonic()
            if sizes is None:
                sizes = self._parts.topics.prepare()
                if sizes is not None:
                    self._parts.publisher.set_limits(sizes.record_bytes, sizes.batch_bytes)
                else:
                    self._stopping.wait(START_RETRY_S)
            elif self._parts.publisher.ready():
                return True
        return False

    def _on_commit(self, offsets: Offsets) -> None:
        self._parts.dead_letters.committed(offsets)
        self._chain.on_commit(offsets)

    def _maintain(self) -> None:
        """Do every MAINTAIN_S what need not be done in every turn of the loop."""
        now_s = time.monotonic()
        if now_s < self._maintain_at_s:
            return
        self._maintain_at_s = now_s + MAINTAIN_S
        if self._commits.is_in_trouble or self._parts.results.is_waiting or self._parts.topics.missing:
            self._parts.topics.recreate_outputs()
        self._rebalance.check()
        self._parts.dead_letters.log_counts()
        self._lag.measure()

    def _close(self) -> None:
        """Leave the group. What is unfinished is dropped, and not committed."""
        self._parts.publisher.give_up_at(time.monotonic() + CLOSE_S)
        self._batches.cancel()
        self._parts.states.dropped(list(self._lanes))
        self._lanes.drop(self._lanes.partitions)
        self._commits.close(CLOSE_S)
        self._parts.publisher.close()
        self._parts.source.close()
