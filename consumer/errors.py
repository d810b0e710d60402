"""What can go wrong between fncast and Kafka, in words for its user; drivers' exceptions end at the adapters."""

from __future__ import annotations


class ConsumerError(Exception):
    """The consumer cannot go on; nothing unfinished was committed. The text is one clear sentence."""


class GaveUp(ConsumerError):
    """A stop did not wait any longer for the broker: what is not committed is read again at the next start."""


class RecordRefused(ConsumerError):
    """The broker takes no such record, whenever it is asked."""


class RecordTooLarge(RecordRefused):
    """The broker or the client takes no record of this size."""


class NotPublished(Exception):
    """What was published since the last `finish` was undone, or refused in part: publish it again."""


class OutcomeUnknown(Exception):
    """The broker was asked to commit a transaction and did not say whether it did: its offsets tell."""


class CommitFailed(Exception):
    """Offsets were not committed: the group is rebalancing, or the broker is away. Try later."""
