"""Lag: the end of a partition minus the committed offset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from prometheus_client import REGISTRY

from consumer.lag import Lag
from consumer.lanes.lane import Partition
from consumer.lanes.lanes import Lanes
from interceptor.delivery import Record


@dataclass
class Watch:
    """The topic watch. ends: the end offset by partition."""

    ends: dict[Partition, int] = field(default_factory=dict)


@dataclass
class Topics:
    watch: Watch | None = None


class Source:
    """The client has seen each partition end at 10, and has read the first two up to 9."""

    def __init__(self, committed: int | None) -> None:
        """committed: by the group in each partition; None while the broker does not answer."""
        self._committed = committed
        self.requests: list[list[Partition]] = []

    def end(self, partition: Partition) -> int:
        return 10

    def position(self, partition: Partition) -> int | None:
        return 9 if partition[1] < 2 else None

    def committed(self, partitions: list[Partition], within_s: float) -> dict[Partition, int] | None:
        self.requests.append(partitions)
        return None if self._committed is None else dict.fromkeys(partitions, self._committed)


def lag(partition: int) -> float | None:
    return REGISTRY.get_sample_value("fncast_consumer_lag", {"topic": "metrics", "partition": str(partition)})


def measured(lanes: Lanes, source: Any, topics: Any) -> None:
    Lag(lanes, source, topics).measure()


def test_the_lag_is_the_end_minus_the_committed_offset() -> None:
    lanes = Lanes()
    lanes.assign([("metrics", 0), ("metrics", 1), ("metrics", 2)])
    lanes.add(Record("metrics", 0, offset, 0, None, b"", []) for offset in range(5, 9))
    measured(lanes, Source(committed=3), Topics(Watch({("metrics", 0): 4005})))
    assert lag(0) == 4000  # read up to 9, nothing committed
    assert lag(1) == 1  # everything that was read is committed
    assert lag(2) == 7  # nothing was read: the group's committed offset counts


def test_without_a_committed_offset_there_is_no_lag() -> None:
    lanes = Lanes()
    lanes.assign([("metrics", 7)])
    measured(lanes, Source(committed=-1001), Topics())
    assert lag(7) is None


def test_the_committed_offsets_of_all_silent_partitions_are_read_by_one_request() -> None:
    """The loop does not poll while it waits for the broker."""
    silent = [("metrics", number) for number in (20, 21, 22)]
    lanes = Lanes()
    lanes.assign([("metrics", 0), *silent])
    away, source = Source(committed=None), Source(committed=4)
    measured(lanes, away, Topics())
    assert away.requests == [silent]
    assert lag(20) is None
    for _ in range(2):
        measured(lanes, source, Topics())
    assert source.requests == [silent]
    assert [lag(number) for _, number in silent] == [6, 6, 6]
