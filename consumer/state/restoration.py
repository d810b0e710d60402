"""The restoration of one partition's state: shared by the loop, which waits for it, and the thread that does it."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from dataclasses import dataclass, field

from consumer.lanes.lane import Partition
from consumer.state.snapshot import PlacedRecord

log = logging.getLogger("fncast.consumer")


class Cancelled(Exception):
    """The partition was taken away meanwhile."""


@dataclass(frozen=True)
class Restored:
    """What the loop needs to continue with a partition.

    previous: the offset of the last committed record, None without one. state_partition: the partition of the
    state topic to which the state is written. moves: what to write first.
    """

    previous: int | None
    state_partition: int
    moves: list[PlacedRecord]


@dataclass(eq=False)
class Restoration:
    """A restoration that waits, or is in progress.

    done: its result, or ConsumerError, or what an interceptor raised. problem: why it does not proceed.
    is_cancelled: set by the loop's thread before it lets the interceptors drop the partition.
    """

    partition: Partition
    generation: int
    done: Future[Restored] = field(default_factory=Future)
    is_cancelled: bool = False
    problem: str = ""

    def check(self) -> None:
        """Raise Cancelled if the partition was taken away."""
        if self.is_cancelled:
            raise Cancelled

    def wait_because(self, reason: str, *, is_known: bool = False) -> None:
        """Set the problem, and log it unless it is the last one. is_known: whether the log has the reason already."""
        topic, number = self.partition
        problem = f"the state of {topic}/{number} is not restored yet: {reason}"
        if self.problem != problem:
            self.problem = problem
            if not is_known:
                log.warning("%s", problem)
