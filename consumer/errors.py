"""What can go wrong between fncast and Kafka, in words for its user; drivers' exceptions end at the adapters."""

from __future__ import annotations


class ConsumerError(Exception):
    """The consumer cannot go on; nothing unfinished was committed. The text is one clear sentence."""


class RecordTooLarge(ConsumerError):
    """The broker or the client takes no record of this size."""


class TransactionAborted(Exception):
    """The open transaction was aborted: what it held is to be published again."""


class CommitFailed(Exception):
    """Offsets were not committed: the group is rebalancing, or the broker is away. Try later."""
