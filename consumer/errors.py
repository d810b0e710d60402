"""Errors between fncast and Kafka, by what the caller does next. The driver's exceptions end in consumer/kafka."""

from __future__ import annotations


class ConsumerError(Exception):
    """The consumer cannot continue. Nothing unfinished was committed. The text is one clear sentence."""


class AccessDenied(ConsumerError):
    """The broker denies this login an action. topics: the topics that it denies access to, if any."""

    def __init__(self, text: str, topics: frozenset[str] = frozenset()) -> None:
        super().__init__(text)
        self.topics = topics


class GaveUp(ConsumerError):
    """A stop no longer waits for the broker. Uncommitted records are read again at the next start."""


class RecordRejected(ConsumerError):
    """The broker rejects this record, now and later."""


class RecordTooLarge(RecordRejected):
    """The broker or the client rejects a record of this size."""


class NotPublished(Exception):
    """The records published since the last commit were undone, or rejected in part: publish them again."""


class OutcomeUnknown(Exception):
    """The broker did not answer a commit. The group's committed offsets show whether it happened."""


class CommitFailed(Exception):
    """Offsets were not committed: the group is rebalancing, or the broker is down. Try later."""
