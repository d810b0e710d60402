"""The named points at which a consumer crashes or freezes."""

from __future__ import annotations

import os
from collections.abc import Callable

from confluent_kafka import Producer

import consumer.kafka.publishers.base_producer
from consumer.kafka.publishers.exactly_once import ExactlyOnce
from consumer.rebalance import Rebalance
from consumer.state.partition_restore import PartitionRestore
from consumer.state.writer import StateWriter
from interceptor.assembly.snapshot import Parts

FLUSH_S = 8.0


def send_signal_at(place: str, number: int) -> None:
    """Send this process the signal when it reaches a point for the N-th time. place: POINT:N. number: of the signal."""
    point, _, nth = place.partition(":")
    left = int(nth)

    def reached() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), number)

    POINTS[point](reached)


def after_produce(reached: Callable[[], None]) -> None:
    publish = ExactlyOnce.publish

    def published(self, *record):
        publish(self, *record)
        reached()

    ExactlyOnce.publish = published


def before_offsets(reached: Callable[[], None]) -> None:
    class FaultyProducer(Producer):
        def send_offsets_to_transaction(self, *arguments):
            self.flush(FLUSH_S)  # so that its records are at the broker
            reached()
            super().send_offsets_to_transaction(*arguments)

    consumer.kafka.publishers.base_producer.Producer = FaultyProducer


def before_commit(reached: Callable[[], None]) -> None:
    class FaultyProducer(Producer):
        def commit_transaction(self, *arguments):
            self.flush(FLUSH_S)
            reached()
            super().commit_transaction(*arguments)

    consumer.kafka.publishers.base_producer.Producer = FaultyProducer


def after_commit(reached: Callable[[], None]) -> None:
    class FaultyProducer(Producer):
        def commit_transaction(self, *arguments):
            super().commit_transaction(*arguments)
            reached()

    consumer.kafka.publishers.base_producer.Producer = FaultyProducer


def during_revoke(reached: Callable[[], None]) -> None:
    revoked = Rebalance.revoked

    def revoking(self, partitions):
        reached()
        revoked(self, partitions)

    Rebalance.revoked = revoking


def before_state(reached: Callable[[], None]) -> None:
    """At-least-once: offsets are committed, and their state is not published."""
    publish_committed = StateWriter.publish_committed

    def publishing(self):
        if self.has_unacknowledged:
            reached()
        publish_committed(self)

    StateWriter.publish_committed = publishing


def during_snapshot(reached: Callable[[], None]) -> None:
    """A part of the snapshot is published, and another one is not."""
    next_part = Parts.next

    def parted(self):
        if self.is_begun:
            reached()
        self.is_begun = True
        return next_part(self, 1)

    Parts.is_begun, Parts.next = False, parted


def during_restore(reached: Callable[[], None]) -> None:
    """The snapshot is read, and the input behind it is not."""
    replay = PartitionRestore._replay

    def replaying(self, *arguments):
        reached()
        return replay(self, *arguments)

    PartitionRestore._replay = replaying


POINTS = {
    "after-produce": after_produce,
    "before-offsets": before_offsets,
    "before-commit": before_commit,
    "after-commit": after_commit,
    "during-revoke": during_revoke,
    "before-state": before_state,
    "during-snapshot": during_snapshot,
    "during-restore": during_restore,
}
