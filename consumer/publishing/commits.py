"""Commits published results and their offsets, one commit at a time, without blocking the thread that polls."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from math import inf

from consumer import metrics
from consumer.errors import CommitFailed, NotPublished, OutcomeUnknown
from consumer.kafka.publishers.publisher import Publisher
from consumer.kafka.timeouts import CallWorker
from consumer.lanes.lane import Lane
from consumer.lanes.lanes import Lanes, next_offsets
from consumer.publishing.commit_pace import CommitPace
from consumer.publishing.group_offsets import GroupOffsets, committed_counts
from consumer.state.writer import StateWriter
from interceptor.contract import Offsets

log = logging.getLogger("fncast.consumer")

COMMIT_EVENTS = 4096  # a commit is due once this many are published: they stay in memory until then
REPEAT_LOG_S = 10.0  # between log lines about a commit that keeps failing
# How long to wait for the group's committed offsets. The loop does not poll meanwhile. A stop waits less.
COMMITTED_S = 2.0
COMMITTED_AT_STOP_S = 0.5
TROUBLE_S = 2.0  # a commit that takes longer is in trouble


class Commits:
    """Commits what the lanes have published. Used by the loop's thread only.

    A commit covers the results that were published before it began. While it `holds_results`, nothing may be published.
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
        self._pace = CommitPace(clock_s)
        self._logged_at_s = -REPEAT_LOG_S

    @property
    def is_in_progress(self) -> bool:
        """Whether a commit has begun and its outcome is not known yet."""
        return self._step is not None or self._unknown_outcome is not None

    @property
    def holds_results(self) -> bool:
        """Whether nothing may be published now: it would become part of the commit in progress, or be too early for
        the next one. A commit of offsets only does not hold results: it covers earlier results.
        """
        if self.is_in_progress and not self._is_committing_offsets:
            return True
        return self._pace.publish_in_s > 0

    @property
    def due_in_s(self) -> float:
        """Seconds until a commit may begin, or results may be published. Infinity if only another event allows that."""
        if self.is_in_progress:
            return inf  # its end wakes the loop
        publish_in_s = self._pace.publish_in_s
        if publish_in_s > 0:
            return publish_in_s
        return self._commit_in_s() if self._lanes.published() else inf

    @property
    def is_in_trouble(self) -> bool:
        """Whether results cannot be published now, for example because a topic is missing."""
        is_slow = self._step is not None and self._pace.running_s > TROUBLE_S
        return is_slow or self._unknown_outcome is not None or self._pace.is_failing

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
        return self._lanes.need_commit(COMMIT_EVENTS) or self._commit_in_s() <= 0

    def _commit_in_s(self) -> float:
        return self._pace.commit_in_s(self._publisher.commit_interval_s, self._lanes.waiting())

    def _begin(self) -> None:
        metadata = None
        if self._publisher.commits_offsets:
            # Read the metadata in the thread that polls: a consumer's methods starve in another thread.
            metadata = self._source.group_metadata()
            if metadata is None:
                return  # the next poll reports that the partitions are lost
        self._pace.began()
        self._covered = self._lanes.to_commit()
        self._state.begin_commit()
        offsets, publisher = next_offsets(self._covered), self._publisher
        self._step = self._committer.submit(lambda: publisher.commit(offsets, metadata))
        self._step.add_done_callback(lambda _: self._wake())

    def _next_step(self, in_rebalance: bool) -> None:
        """Finish the step: begin the next step, or end the commit. Raises ConsumerError."""
        offsets = next_offsets(self._covered_lanes())
        try:
            is_complete = self._finish_step(offsets, in_rebalance)
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
            if is_complete:
                self._committed(offsets)

    def _finish_step(self, offsets: Offsets, in_rebalance: bool) -> bool:
        """Take the step's result, and begin the commit of the offsets if that is the next step.

        Returns whether the commit is complete. Raises what a step raises.
        """
        step = self._step
        assert step is not None
        if self._is_committing_offsets and not step.done():  # in a rebalance: no poll completes it
            self._source.commit_now(offsets)
            return True
        step.result()
        if self._publisher.commits_offsets or self._is_committing_offsets or not offsets:
            return True
        if in_rebalance:
            self._source.commit_now(offsets)
            return True
        self._step, self._is_committing_offsets = self._source.commit(offsets), True
        return False

    def _covered_lanes(self) -> dict[Lane, int]:
        """By lane, how many published deliveries the commit covers. Partitions that were taken away are left out."""
        return {lane: count for lane, count in self._covered.items() if not lane.is_dropped}

    def _committed(self, offsets: Offsets) -> None:
        self._state.acknowledged()
        for lane, count in self._covered.items():
            if not lane.is_dropped:
                self._state.committed(lane.published[:count])
            lane.committed(count)
        self._end()
        self._pace.succeeded()
        metrics.COMMITS.labels("committed").inc()
        if offsets:
            self._on_commit(offsets)

    def _resolve_outcome(self, within_s: float) -> None:
        """Continue from the group's committed offsets. The transaction has ended once the publisher is ready again."""
        covered = self._covered_lanes()
        if covered and not self._publisher.ready():
            return
        counts = committed_counts(self._source, covered, self._publisher.token, within_s)
        if counts is None:
            return
        reason, self._unknown_outcome = str(self._unknown_outcome), None
        self._covered = {lane: count for lane, count in counts.items() if count}
        if self._covered:
            self._committed(next_offsets(self._covered))
        else:
            self._end()
        if self._lanes.published():
            self.publish_again(reason)

    def _end(self) -> None:
        self._step, self._is_committing_offsets, self._covered = None, False, {}
        self._pace.ended(self._publisher.settle_s)

    def publish_again(self, reason: str, *, makes_progress: bool = False) -> None:
        """Published results were undone, or rejected in part: publish them again from memory, without a new score.

        Results whose offsets are being committed are not published again: the broker has stored these.

        makes_progress: the next attempt differs from the last one, so it does not need a long pause.
        """
        stored = self._covered if self._is_committing_offsets else {}
        count = self._lanes.published() - sum(stored.get(lane, 0) for lane in self._lanes)
        self._warn(f"publishing {count} results again" if count else "beginning another transaction", reason)
        metrics.COMMITS.labels("aborted").inc()
        self._state.undone()
        for lane in self._lanes:
            lane.aborted(stored.get(lane, 0))
        self._pace.undone(makes_progress=makes_progress)

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
