"""Commits: makes what the lanes published safe, one commit at a time, without holding up the thread that polls."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, Protocol

from consumer import metrics
from consumer.errors import CommitFailed, NotPublished, OutcomeUnknown
from consumer.kafka.base_producer import Publisher
from consumer.kafka.timeouts import Worker
from consumer.lane import Lane, Partition
from consumer.lanes import Lanes, next_offsets
from interceptor.contract import Offsets

log = logging.getLogger("fncast.consumer")

COMMIT_EVENTS = 4096  # a commit is due as soon as so many are published: they wait in memory until then
# Between two commits so many times what the last one took: of two fifths of the time at most nothing is published, and
# under load, when a commit takes longer, more results share one. At most MOST_REST_S: one slow commit is no load.
REST = 1.5
MOST_REST_S = 0.05
# A commit costs the broker some 3 ms of CPU, whatever it holds: under a backlog, 15 ms apart, that was 23 µs of each
# event, 100 ms apart 9. So what is published waits a little for each event that waits for its call, which has to wait
# as long itself.
EACH_WAITING_S = 50e-6
MOST_WAITING_S = 0.1
REPEAT_TOLD_S = 10.0  # a commit that keeps failing is said once in a while
# Before what was undone is published again; doubled each time in a row.
ABORT_REST_S = 0.01
MOST_ABORT_REST_S = 1.0
# For the group's committed offsets, after which nothing is polled for a moment; a stop waits less.
COMMITTED_S = 2.0
COMMITTED_AT_STOP_S = 0.5
TROUBLE_S = 2.0  # a commit that takes longer


class Source(Protocol):
    """What commits ask of where records come from; see KafkaSource."""

    def group_metadata(self) -> Any | None: ...

    def commit(self, offsets: Offsets) -> Future[None]: ...

    def commit_now(self, offsets: Offsets) -> None: ...

    def committed(self, partitions: list[Partition], within_s: float) -> Offsets | None: ...


class Commits:
    """Used by the loop's thread alone. While one `holds_results`, nothing may be published, so that a commit covers
    what had been published when it began.

    A commit has one step where the publisher commits offsets with its results: `finish`, in a thread of its own.
    Otherwise two: the offsets follow once all results are acknowledged.
    """

    def __init__(
        self,
        source: Source,
        publisher: Publisher,
        lanes: Lanes,
        on_commit: Callable[[Offsets], None],
        wake: Callable[[], None],
    ) -> None:
        self._source = source
        self._publisher = publisher
        self._lanes = lanes
        self._on_commit = on_commit
        self._wake = wake
        self._committer = Worker(
            "commit"
        )  # no one joins its thread: a stop does not wait for a broker that is down
        self._step: Future[None] | None = None
        self._is_committing_offsets = False
        self._doubt: str | None = None
        self._covered: dict[Lane, int] = {}
        self._began_at_s = self._ended_at_s = self._took_s = self._publish_at_s = 0.0
        self._told_at_s = -REPEAT_TOLD_S
        self._aborts = 0  # in a row

    @property
    def is_in_progress(self) -> bool:
        return self._step is not None or self._doubt is not None

    @property
    def holds_results(self) -> bool:
        """Whether nothing may be published now: it would count for the commit under way, or come too early for the
        next. Offsets that are committed by themselves hold up nothing: they are of what was published before."""
        if self.is_in_progress:
            return not self._is_committing_offsets
        return time.monotonic() < self._publish_at_s

    @property
    def is_in_trouble(self) -> bool:
        """Whether results do not get through just now: the topics may be gone, for example."""
        is_slow = self._step is not None and time.monotonic() - self._began_at_s > TROUBLE_S
        return is_slow or self._doubt is not None or self._aborts > 0

    @property
    def ends_in_poll(self) -> bool:
        """Whether the answer that it waits for comes inside a poll."""
        return self._is_committing_offsets

    def advance(self, *, now: bool = False, in_rebalance: bool = False) -> None:
        """See to a commit whose step has ended; begin one when it is due, or `now`. Raises ConsumerError.

        in_rebalance: the consumer cannot be polled meanwhile, so offsets are committed before this returns.
        """
        if self._doubt is not None:
            self._settle_doubt(COMMITTED_AT_STOP_S if now else COMMITTED_S)
            return
        if self._step is not None:
            if self._step.done() or (self._is_committing_offsets and in_rebalance):
                self._next_step(in_rebalance)
            return
        if self._lanes.published() and (
            now or self._lanes.wait_for_commit(COMMIT_EVENTS) or time.monotonic() >= self._due_at_s()
        ):
            self._begin()

    def _due_at_s(self) -> float:
        interval_s = max(self._publisher.commit_interval_s, min(REST * self._took_s, MOST_REST_S))
        waiting_s = min(EACH_WAITING_S * self._lanes.waiting(), MOST_WAITING_S)
        return self._ended_at_s + max(interval_s, waiting_s)

    def _begin(self) -> None:
        metadata = None
        if self._publisher.commits_offsets:
            # The metadata is taken here, in the thread that polls: a consumer's methods starve in another.
            metadata = self._source.group_metadata()
            if metadata is None:
                return  # the next poll tells that the lanes are lost
        self._began_at_s = time.monotonic()
        self._covered = self._lanes.to_commit()
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
        except OutcomeUnknown as doubt:
            self._step, self._doubt = None, str(doubt)
        except NotPublished as failure:
            self._end()
            self.publish_again(str(failure))
        except CommitFailed as failure:  # the results are out; these offsets, or later ones, go with the next
            self._end()
            metrics.COMMITS.labels("failed").inc()
            self._warn("offsets were not committed, the next commit covers them", str(failure))
        else:
            self._committed(offsets)

    def _offsets(self) -> dict[Partition, int]:
        """Those that the commit under way is to commit."""
        return next_offsets({lane: count for lane, count in self._covered.items() if not lane.is_dropped})

    def _committed(self, offsets: Offsets) -> None:
        for lane, count in self._covered.items():
            lane.committed(count)
        self._end()
        self._aborts = 0
        metrics.COMMITS.labels("committed").inc()
        self._on_commit(offsets)

    def _settle_doubt(self, within_s: float) -> None:
        """Go on from the group's committed offsets. Once the publisher is ready again, the transaction is over."""
        partitions = list(self._offsets())
        committed: Offsets | None = {}
        if partitions:
            committed = self._source.committed(partitions, within_s) if self._publisher.ready() else None
        if committed is None:
            return
        doubt, self._doubt = self._doubt, None
        done = {lane: lane.published_before(committed.get(lane.partition, -1)) for lane in self._covered}
        self._covered = {lane: count for lane, count in done.items() if count and not lane.is_dropped}
        if self._covered:
            self._committed(self._offsets())
        else:
            self._end()
        if self._lanes.published():
            self.publish_again(str(doubt))

    def _end(self) -> None:
        self._step, self._is_committing_offsets, self._covered = None, False, {}
        self._ended_at_s = time.monotonic()
        self._took_s = self._ended_at_s - self._began_at_s
        self._publish_at_s = self._ended_at_s + self._publisher.settle_s

    def publish_again(self, reason: str, *, makes_progress: bool = False) -> None:
        """What was published is undone, or in part refused: it is published again from memory, not scored again.

        makes_progress: with something changed, so without a long rest.
        """
        undone = self._lanes.published()
        self._warn(
            f"{undone} results are published again" if undone else "another transaction is begun", reason
        )
        metrics.COMMITS.labels("aborted").inc()
        for lane in self._lanes:
            lane.aborted()
        self._aborts = 1 if makes_progress else self._aborts + 1
        rest_s = min(MOST_ABORT_REST_S, ABORT_REST_S * 2.0 ** min(self._aborts, 10))
        self._publish_at_s = max(self._publish_at_s, time.monotonic() + rest_s)

    def _warn(self, sentence: str, reason: str) -> None:
        if time.monotonic() - self._told_at_s >= REPEAT_TOLD_S:
            self._told_at_s = time.monotonic()
            log.warning("%s: %s", sentence, reason)

    def abandon(self, lanes: list[Lane]) -> None:
        """These lanes go to another owner: nothing of theirs may be committed without its offset.

        A commit under way holds both, or the broker refuses both, since the group knows of the new owner.
        """
        if (
            not self.is_in_progress
            and self._publisher.commits_offsets
            and any(lane.published for lane in lanes)
        ):
            self._publisher.abort()
            self.publish_again("partitions went to another owner")

    def close(self, within_s: float) -> None:
        """Wait for the step that is under way, but no longer than this."""
        if self._step is not None:
            wait([self._step], within_s)
        self._committer.close()
        self._step, self._doubt, self._covered = None, None, {}
