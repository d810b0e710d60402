"""Commits: makes what the lanes published safe, one commit at a time, off the polling thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from consumer import metrics
from consumer.errors import CommitFailed, TransactionAborted
from consumer.kafka_source import KafkaSource
from consumer.lane import Lane
from consumer.lanes import Lanes, next_offsets
from consumer.publisher import Publisher
from interceptor.contract import Offsets

log = logging.getLogger("fncast.consumer")

# Results are safe, and seen by readers of committed records, after about this; each commit costs the broker.
COMMIT_S = 0.05
COMMIT_EVENTS = 4096  # or as soon as so many are published: they wait in memory until then


class Commits:
    """Used by the loop's thread alone. While a commit `is_under_way`, nothing may be published."""

    def __init__(
        self,
        source: KafkaSource,
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
        self._thread = ThreadPoolExecutor(1, "commit")
        self._finishing: Future[None] | None = None
        self._covered: list[Lane] = []
        self._due_at_s = 0.0

    @property
    def is_under_way(self) -> bool:
        return self._finishing is not None

    def turn(self, *, now: bool = False) -> None:
        """See to a commit that has ended; begin one when it is due, or `now`. Raises ConsumerError."""
        if self._finishing is not None:
            if self._finishing.done():
                self._end()
            return
        published = self._lanes.published()
        if published and (now or published >= COMMIT_EVENTS or time.monotonic() >= self._due_at_s):
            self._begin()

    def _begin(self) -> None:
        self._covered = [lane for lane in self._lanes if lane.published]
        # The metadata is taken here, in the thread that polls: a consumer's methods starve in another.
        metadata = self._source.group_metadata() if self._publisher.commits_offsets else None
        self._finishing = self._thread.submit(self._publisher.finish, next_offsets(self._covered), metadata)
        self._finishing.add_done_callback(lambda _: self._wake())

    def _end(self) -> None:
        finishing, covered = self._finishing, self._covered
        assert finishing is not None
        self._finishing, self._covered = None, []
        self._due_at_s = time.monotonic() + COMMIT_S
        offsets = next_offsets(lane for lane in covered if not lane.is_dropped)
        try:
            finishing.result()
            if not self._publisher.commits_offsets and offsets:
                self._source.commit(offsets)
        except TransactionAborted as abort:
            self.aborted(str(abort))
            return
        except (
            CommitFailed
        ) as failure:  # the results are out; these offsets, or later ones, go with the next commit
            log.warning("offsets were not committed: %s", failure)
            metrics.COMMITS.labels("failed").inc()
            return
        metrics.COMMITS.labels("committed").inc()
        for lane in covered:
            lane.committed()
        self._on_commit(offsets)

    def aborted(self, reason: str) -> None:
        """The transaction was aborted: what it held is published again from memory, scored no second time."""
        log.warning(
            "the transaction was aborted, %d results are published again: %s", self._lanes.published(), reason
        )
        metrics.COMMITS.labels("aborted").inc()
        for lane in self._lanes:
            lane.aborted()

    def give_up(self, lanes: list[Lane]) -> None:
        """These lanes go to another owner: nothing of theirs may be committed without its offset."""
        if self._finishing is not None:
            self._finishing.exception()  # it covers both, or fails for both
            self._end()
        if self._publisher.commits_offsets and any(lane.published for lane in lanes):
            self._publisher.abort()
            self.aborted("partitions went to another owner")

    def close(self) -> None:
        self._thread.shutdown()
