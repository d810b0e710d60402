"""`fncast consume`, with a crash at a point of crash_points.py or with a deliberate bug. Only tests start this.

usage: faulty_consumer.py [--crash POINT:N | --freeze POINT:N] [--bug BUG] [--snapshot-s S] FNCAST_ARGUMENT…

A crash is SIGKILL when the point is reached for the N-th time; a freeze is SIGSTOP.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import signal
import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

from confluent_kafka import Producer
from crash_points import send_signal_at

from consumer.errors import CommitFailed
from consumer.kafka.publishers.exactly_once import ExactlyOnce
from consumer.kafka.source.source import KafkaSource
from consumer.publishing.commits import Commits
from consumer.state.writer import StateWriter
from fncast.cli import main as command_line
from interceptor.assembly import snapshot_schedule

FLUSH_S = 8.0
BUGS = ("commit-before-publish", "no-fencing", "state-outside")
SNAPSHOT_S = 1.0  # so that a short run writes many snapshots


def add_bug(bug: str) -> None:
    """Replace methods so that the consumer has the bug."""
    if bug == "commit-before-publish":
        poll = KafkaSource.poll

        def committing(self, max_records, timeout_s):
            records = poll(self, max_records, timeout_s)
            offsets = {(record.topic, record.partition): record.offset + 1 for record in records}
            if offsets:
                with contextlib.suppress(CommitFailed):
                    self.commit_now(offsets)
            return records

        KafkaSource.poll = committing
        ExactlyOnce.commit = commit_without_offsets
    elif bug == "state-outside":  # state is stored before its offset is committed
        StateWriter.publish_with = publish_outside
        snapshot_schedule.SNAPSHOT_S = 0.0  # so that each transaction has a snapshot
    else:  # a new identity at each start, offsets outside of the transaction, a transaction longer than a session
        init = ExactlyOnce.__init__

        def anonymous(self, properties, partitioner, *_):
            init(self, {**properties, "transaction.timeout.ms": 120_000}, partitioner, uuid.uuid4().hex)
            self._properties["transaction.timeout.ms"] = 120_000

        ExactlyOnce.__init__ = anonymous
        ExactlyOnce.commit = commit_without_offsets
        committed = Commits._committed

        def committing_beside(self, offsets):
            committed(self, offsets)
            if offsets:
                self._source.commit(offsets)

        Commits._committed = committing_beside


def commit_without_offsets(self, offsets, metadata):
    """Commit the transaction without its offsets. Replaces ExactlyOnce.commit."""
    if not self._is_open:
        self._begin()
    self._producer.commit_transaction(FLUSH_S)
    self._is_open = False


class NonTransactionalPublisher:
    """Publishes each record outside of the transaction."""

    commits_offsets = True

    def __init__(self, properties):
        self._producer = Producer(dict(properties))

    def publish(self, topic, partition, key, value, headers):
        self._producer.produce(topic, value, key, partition)
        self._producer.flush(FLUSH_S)


def publish_outside(self, delivery, publish_with=StateWriter.publish_with):
    """Publish the state of a delivery outside of the transaction. Replaces StateWriter.publish_with."""
    if not hasattr(self, "outside"):
        self.outside = NonTransactionalPublisher(self._publisher._client_properties)
    transactional, self._publisher = self._publisher, self.outside
    publish_with(self, delivery)
    self._publisher = transactional


def main() -> int:
    # On SIGUSR2, a consumer that is stuck writes the stack of each thread to its log.
    faulthandler.register(signal.SIGUSR2)
    parser = argparse.ArgumentParser()
    parser.add_argument("--crash", default="")
    parser.add_argument("--freeze", default="")
    parser.add_argument("--bug", choices=BUGS)
    parser.add_argument("--snapshot-s", type=float, default=SNAPSHOT_S)
    options, arguments = parser.parse_known_args()
    snapshot_schedule.SNAPSHOT_S = options.snapshot_s
    if options.bug:
        add_bug(options.bug)
    if options.crash:
        send_signal_at(options.crash, signal.SIGKILL)
    if options.freeze:
        send_signal_at(options.freeze, signal.SIGSTOP)
    return command_line.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
