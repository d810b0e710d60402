"""The offsets that the group has committed, and which published results they cover."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Protocol

from consumer.lanes.lane import Lane, Partition
from interceptor.contract import Offsets
from interceptor.delivery import Tick


class GroupOffsets(Protocol):
    """The part of KafkaSource that commits use; see there."""

    def group_metadata(self) -> Any | None:
        """The membership that fences a zombie's transaction; None if this consumer is not a member."""

    def commit(self, offsets: Offsets) -> Future[None]:
        """Commit the next offsets to read. A later poll completes the future, perhaps with CommitFailed."""

    def commit_now(self, offsets: Offsets) -> None:
        """Commit and wait. Raises CommitFailed."""

    def committed(self, partitions: list[Partition], within_s: float) -> Offsets | None:
        """The committed offsets, negative if there is none; None if the broker does not answer now."""

    def committed_tokens(self, partitions: list[Partition], within_s: float) -> set[str] | None:
        """The tokens stored with the committed offsets; None if the broker does not answer now."""


def committed_counts(
    group: GroupOffsets, published: Mapping[Lane, int], token: str, within_s: float
) -> dict[Lane, int] | None:
    """How many of the published deliveries of each lane are committed; None if the broker does not answer now.

    published: by lane, how many deliveries the commit covers; all lanes are assigned. token: of the commit.
    """
    if not published:
        return {}
    partitions = [lane.partition for lane in published]
    if _has_tick(published):
        # The offset of a tick was committed before it, so it does not show whether the tick's results are.
        tokens = group.committed_tokens(partitions, within_s)
        if tokens is None:
            return None
        return dict(published) if token in tokens else {}
    offsets = group.committed(partitions, within_s)
    if offsets is None:
        return None
    return {lane: lane.published_before(offsets.get(lane.partition, -1)) for lane in published}


def _has_tick(published: Mapping[Lane, int]) -> bool:
    return any(
        type(delivery.record) is Tick
        for lane, count in published.items()
        for delivery in lane.published[:count]
    )
