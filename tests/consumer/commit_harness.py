"""Commits with a publisher, a group and a clock that the tests control."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from consumer.lanes.lanes import Lanes
from consumer.publishing.commits import Commits
from consumer.state.writer import StateWriter
from tests.consumer.records import record

PARTITION = ("metrics", 0)


class FakePublisher:
    """Ends a commit once the test allows it, with the error that the test sets."""

    def __init__(self, commits_offsets: bool) -> None:
        self.commits_offsets = commits_offsets
        self.commit_interval_s = 0.05
        self.settle_s = 0.0
        self.token = ""
        self.is_ready = True
        self.may_end = threading.Event()
        self.error: Exception | None = None
        self.published: list[tuple] = []
        self.committed: list[tuple[dict, object]] = []  # offsets and group metadata
        self.aborts = 0

    def set_limits(self, record_bytes, batch_bytes): ...

    def ready(self):
        return self.is_ready

    def publish(self, *record):
        self.published.append(record)

    def commit(self, offsets, metadata):
        assert self.may_end.wait(5)
        if self.error:
            raise self.error
        self.committed.append((dict(offsets), metadata))

    def abort(self):
        self.aborts += 1

    def give_up_at(self, at_s): ...

    def close(self): ...


class FakeGroup:
    """The group's offsets. `offsets` and `tokens` are None while the broker does not answer."""

    def __init__(self) -> None:
        self.commits: list[dict] = []
        self.commits_in_rebalance: list[dict] = []
        self.answer: Future[None] = Future()
        self.offsets: dict | None = None
        self.tokens: set[str] | None = None
        self.metadata: str | None = "metadata"

    def committed(self, partitions, within_s):
        return self.offsets

    def committed_tokens(self, partitions, within_s):
        return self.tokens

    def group_metadata(self):
        return self.metadata

    def commit(self, offsets):
        self.commits.append(dict(offsets))
        return self.answer

    def commit_now(self, offsets):
        self.commits_in_rebalance.append(dict(offsets))


class Harness:
    """now_s: what the clock says; the tests set it. reported: the offsets that were reported to the interceptors."""

    def __init__(self, commits_offsets: bool) -> None:
        self.now_s = 1000.0
        self.group, self.publisher, self.lanes = FakeGroup(), FakePublisher(commits_offsets), Lanes()
        self.reported: list[dict] = []
        self.woken = threading.Event()
        self.state = StateWriter(self.publisher, "state", "group")
        self.commits = Commits(
            self.group,
            self.publisher,
            self.lanes,
            self.reported.append,
            self.woken.set,
            self.state,
            lambda: self.now_s,
        )
        self.lanes.assign([PARTITION])

    def publish(self, *offsets: int, partition: int = 0) -> None:
        """Publish results of the records with these offsets."""
        self.lanes.add(record(offset, partition) for offset in offsets)
        (lane,) = self.lanes.of([("metrics", partition)])
        for delivery in lane.take(len(offsets)):
            delivery.is_done = True
        list(lane.settled())

    def end_step(self, error: Exception | None = None) -> None:
        """Let the publisher's commit end, and handle its result."""
        self.publisher.error = error
        self.woken.clear()
        self.publisher.may_end.set()
        assert self.woken.wait(5)
        self.publisher.may_end.clear()
        self.commits.advance()


@contextmanager
def running(commits_offsets: bool) -> Iterator[Harness]:
    """A harness whose commits are closed at the end."""
    harness = Harness(commits_offsets)
    try:
        yield harness
    finally:
        harness.publisher.may_end.set()
        harness.commits.close(5)
