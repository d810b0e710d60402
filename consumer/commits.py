"""Commits published results and their offsets, one commit at a time, without blocking the thread that polls."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from math import inf
from typing import Any, Protocol

from consumer import metrics
from consumer.errors import CommitFailed, NotPublished, OutcomeUnknown
from consumer.kafka.publisher import Publisher
from consumer.kafka.timeouts import CallWorker
from consumer.lane import Lane, Partition
from consumer.lanes import Lanes, next_offsets
from consumer.state.writer import StateWriter
from interceptor.contract import Offsets
from interceptor.delivery import Tick

log = logging.getLogger("fncast.consumer")

COMMIT_EVENTS = 4096  # a commit is due once this many are published: they stay in memory until then
# The pause after a commit, as a multiple of its duration. Nothing is published during a commit. So this bounds the lost
# time. Under load commits take longer, so more results share one commit. At most MAX_PAUSE_S.
PAUSE_RATIO = 1.5
MAX_PAUSE_S = 0.05
# A commit costs the broker the same CPU time however many results it holds. So under a backlog a commit waits a little
# for each event that waits for its call.
WAIT_PER_EVENT_S = 50e-6
MAX_WAIT_S = 0.1
REPEAT_LOG_S = 10.0  # between log lines about a commit that keeps failing
# The pause before undone results are published again; doubled each time in a row.
ABORT_PAUSE_S = 0.01
MAX_ABORT_PAUSE_S = 1.0
# To read the group's committed offsets. The loop does not poll meanwhile; a stop waits less.
COMMITTED_S = 2.0
COMMITTED_AT_STOP_S = 0.5
TROUBLE_S = 2.0  # a commit that takes longer is in trouble


class GroupOffsets(Protocol):
    """The part of KafkaSource that commits use."""

    def group_metadata(self) -> Any | None: ...

    def commit(self, offsets: Offsets) -> Future[None]: ...

    def commit_now(self, offsets: Offsets) -> None: ...

    def committed(self, partitions: list[Partition], within_s: float) -> Offsets | None: ...

    def committed_tokens(self, partitions: list[Partition], within_s: float) -> set[str] | None: ...


class Commits:
    """Used by the loop's thread only. While a commit `holds_results`, nothing may be published: a commit covers the
    results that were published before it.

    If the publisher commits offsets with its results, a commit is one step: `Publisher.commit`, in the commit thread.
    Otherwise there are two steps: the offsets follow once all results are acknowledged.
    """

    def __init__(
        self,
        source: GroupOffsets,
        publisher: Publisher,
        lanes: Lanes,
        on_commit: Callable[[Offsets], None],
        wake: Callable[[], None],
        state: StateWriter,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """on_commit: gets the offsets of each commit. wake: called in another thread when a step has ended."""
        self._source = source
        self._publisher = publisher
        self._lanes = lanes
        self._on_commit = on_commit
        self._wake = wake
        self._state = state
        self._clock_s = clock_s
        # Its thread is never joined: a stop does not wait for a broker that is down.
        self._committer = CallWorker("commit")
        self._step: Future[None] | None = None
        self._is_committing_offsets = False
        self._unknown_outcome: str | None = None
        self._covered: dict[Lane, int] = {}
        self._began_at_s = self._ended_at_s = self._took_s = self._publish_at_s = 0.0
        self._logged_at_s = -REPEAT_LOG_S
        self._aborts = 0  # in a row

    @property
    def is_in_progress(self) -> bool:
        """Whether a commit has begun and its outcome is not known yet."""
        return self._step is not None or self._unknown_outcome is not None

    @property
    def holds_results(self) -> bool:
        """Whether nothing may be published now: it would become part of the commit in progress, or be too early for
        the next one. A commit of offsets only does not hold results: it covers earlier results.
        """
        if self.is_in_progress:
            return not self._is_committing_offsets
        return self._clock_s() < self._publish_at_s

    @property
    def due_in_s(self) -> float:
        """How long until the clock alone lets a commit begin, or results be published; infinity if it does neither."""
        if self.is_in_progress:
            return inf  # its end wakes the loop
        now_s = self._clock_s()
        if now_s < self._publish_at_s:
            return self._publish_at_s - now_s
        return self._due_at_s() - now_s if self._lanes.published() else inf

    @property
    def is_in_trouble(self) -> bool:
        """Whether results cannot be published now, for example because a topic is missing."""
        is_slow = self._step is not None and self._clock_s() - self._began_at_s > TROUBLE_S
        return is_slow or self._unknown_outcome is not None or self._aborts > 0

    @property
    def ends_in_poll(self) -> bool:
        """Whether the commit waits for an answer that arrives inside a poll."""
        return self._is_committing_offsets

    def advance(self, *, now: bool = False, in_rebalance: bool = False) -> None:
        """Continue a commit whose step has ended, or begin one if it is due. Raises ConsumerError.

        now: begin without waiting. in_rebalance: no poll is possible, so commit offsets before returning.
        """
        if self._unknown_outcome is not None:
            self._resolve_outcome(COMMITTED_AT_STOP_S if now else COMMITTED_S)
            return
        if self._step is not None:
            if self._step.done() or (self._is_committing_offsets and in_rebalance):
                self._next_step(in_rebalance)
            return
        if (now and self._state.has_unacknowledged) or (self._lanes.published() and (now or self._is_due())):
            self._begin()

    def _is_due(self) -> bool:
        return self._lanes.need_commit(COMMIT_EVENTS) or self._clock_s() >= self._due_at_s()

    def _due_at_s(self) -> float:
        interval_s = max(self._publisher.commit_interval_s, min(PAUSE_RATIO * self._took_s, MAX_PAUSE_S))
        wait_s = min(WAIT_PER_EVENT_S * self._lanes.waiting(), MAX_WAIT_S)
        return self._ended_at_s + max(interval_s, wait_s)

    def _begin(self) -> None:
        metadata = None
        if self._publisher.commits_offsets:
            # Read the metadata in the thread that polls: a consumer's methods starve in another thread.
            metadata = self._source.group_metadata()
            if metadata is None:
                return  # the next poll reports that the partitions are lost
        self._began_at_s = self._clock_s()
        self._covered = self._lanes.to_commit()
        self._state.begin_commit()
        offsets, publisher = next_offsets(self._covered), self._publisher
        self._step = self._committer.submit(lambda: publisher.commit(offsets, metadata))
        self._step.add_done_callback(lambda _: self._wake())

    def _next_step(self, in_rebalance: bool) -> None:
        step = self._step
        assert step is not None
        offsets = self._offsets()
        try:
            if self._is_committing_offsets and not step.done():
                self._source.commit_now(offsets)
            else:
                step.result()
                if not self._publisher.commits_offsets and not self._is_committing_offsets and offsets:
                    if in_rebalance:
                        self._source.commit_now(offsets)
                    else:
                        self._step, self._is_committing_offsets = self._source.commit(offsets), True
                        return
        except OutcomeUnknown as error:
            self._step, self._unknown_outcome = None, str(error)
        except NotPublished as failure:
            self._end()
            self.publish_again(str(failure))
        except CommitFailed as failure:  # the results are published; the next commit covers these offsets
            self._end()
            metrics.COMMITS.labels("failed").inc()
            self._warn("offsets were not committed; the next commit covers them", str(failure))
        else:
            self._committed(offsets)

    def _offsets(self) -> dict[Partition, int]:
        """The offsets of the commit in progress."""
        return next_offsets({lane: count for lane, count in self._covered.items() if not lane.is_dropped})

    def _committed(self, offsets: Offsets) -> None:
        self._state.acknowledged()
        for lane, count in self._covered.items():
            if not lane.is_dropped:
                self._state.committed(lane.published[:count])
            lane.committed(count)
        self._end()
        self._aborts = 0
        metrics.COMMITS.labels("committed").inc()
        if offsets:
            self._on_commit(offsets)

    def _resolve_outcome(self, within_s: float) -> None:
        """Continue from the group's committed offsets. The transaction has ended once the publisher is ready again."""
        partitions = list(self._offsets())
        done: dict[Lane, int] | None = {}
        if partitions:
            done = self._done(partitions, within_s) if self._publisher.ready() else None
        if done is None:
            return
        reason, self._unknown_outcome = self._unknown_outcome, None
        self._covered = {lane: count for lane, count in done.items() if count and not lane.is_dropped}
        if self._covered:
            self._committed(self._offsets())
        else:
            self._end()
        if self._lanes.published():
            self.publish_again(str(reason))

    def _done(self, partitions: list[Partition], within_s: float) -> dict[Lane, int] | None:
        """How many published deliveries of each lane are committed; None if the broker does not answer now."""
        covered = {lane: lane.published[:count] for lane, count in self._covered.items()}
        if any(type(delivery.record) is Tick for deliveries in covered.values() for delivery in deliveries):
            # The offset of a tick was committed before it.
            tokens = self._source.committed_tokens(partitions, within_s)
            if tokens is None:
                return None
            return self._covered if self._publisher.token in tokens else {}
        committed = self._source.committed(partitions, within_s)
        if committed is None:
            return None
        return {lane: lane.published_before(committed.get(lane.partition, -1)) for lane in covered}

    def _end(self) -> None:
        self._step, self._is_committing_offsets, self._covered = None, False, {}
        self._ended_at_s = self._clock_s()
        self._took_s = self._ended_at_s - self._began_at_s
        self._publish_at_s = self._ended_at_s + self._publisher.settle_s

    def publish_again(self, reason: str, *, makes_progress: bool = False) -> None:
        """Published results were undone, or rejected in part: publish them again from memory, without a new score.

        makes_progress: the next attempt differs from the last one, so it does not need a long pause.
        """
        undone = self._lanes.published()
        self._warn(
            f"publishing {undone} results again" if undone else "beginning another transaction", reason
        )
        metrics.COMMITS.labels("aborted").inc()
        self._state.undone()
        for lane in self._lanes:
            lane.aborted()
        self._aborts = 1 if makes_progress else self._aborts + 1
        pause_s = min(MAX_ABORT_PAUSE_S, ABORT_PAUSE_S * 2.0 ** min(self._aborts, 10))
        self._publish_at_s = max(self._publish_at_s, self._clock_s() + pause_s)

    def _warn(self, sentence: str, reason: str) -> None:
        if self._clock_s() - self._logged_at_s >= REPEAT_LOG_S:
            self._logged_at_s = self._clock_s()
            log.warning("%s: %s", sentence, reason)

    def abandon(self, lanes: list[Lane]) -> None:
        """These lanes get another owner: their results must not be committed without their offsets.

        A commit in progress contains both. The broker commits both or, once the group has a new owner, rejects both.
        """
        if (
            not self.is_in_progress
            and self._publisher.commits_offsets
            and any(lane.published for lane in lanes)
        ):
            self._publisher.abort()
            self.publish_again("partitions were assigned to another consumer")

    def close(self, within_s: float) -> None:
        """Wait for the step in progress, at most this long."""
        if self._step is not None:
            wait([self._step], within_s)
        self._committer.close()
        self._step, self._unknown_outcome, self._covered = None, None, {}
