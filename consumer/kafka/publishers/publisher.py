"""Publishes results: the interface that the loop uses. Two classes implement it.

`ExactlyOnce` commits records and offsets in one transaction. `AtLeastOnce` waits until the broker has acknowledged all
records; the offsets are committed afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from consumer.lanes.lane import Partition
from interceptor.outcome import Headers


class Publisher(Protocol):
    """Publishes results. `commit` may run in another thread, but never at the same time as another method."""

    commits_offsets: bool  # whether `commit` commits the offsets, too
    token: str  # of the last commit; stored with its offsets if the publisher commits them
    commit_interval_s: float  # between two commits, unless many results wait

    @property
    def settle_s(self) -> float:
        """The pause between a commit and the next `publish`; shorter than the interval."""

    def set_limits(self, record_bytes: int, batch_bytes: int) -> None:
        """Call before `ready`. record_bytes: the largest possible dead letter. batch_bytes: accepted by all topics."""

    def ready(self) -> bool:
        """Whether it can publish. If not, waits a moment for the broker; call it again.

        Raises ConsumerError if the broker does not support the delivery guarantee.
        """

    def fits(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> bool:
        """False if the client rejects a record of this size, or the broker has rejected one."""

    def partitions_of(self, topic: str) -> int:
        """The topic's number of partitions; 0 if it is unknown. The broker may create the topic on this request.

        Raises ConsumerError if this login may not use the topic.
        """

    def publish(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers
    ) -> None:
        """Hand a record to the client. partition: -1 lets the partitioner choose by key.

        Raises RecordRejected for this record only, NotPublished for all records since the last commit, ConsumerError.
        """

    def commit(self, offsets: Mapping[Partition, int], group_metadata: Any) -> None:
        """Return once the broker has stored all published records.

        Raises NotPublished: publish the records again; OutcomeUnknown: once `ready` returns true, the group's
        committed offsets show whether they were committed; ConsumerError.
        """

    def abort(self) -> None:
        """Undo what is published and not committed, if the guarantee allows it. Raises ConsumerError."""

    def give_up_at(self, at_s: float) -> None:
        """From this monotonic time on, a call that waits for the broker raises GaveUp. Any thread may call this."""

    def close(self) -> None:
        """Drop what is not committed."""
