"""The state of the assigned partitions: restored before their records are processed, dropped when they go."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping

from consumer.lanes.lane import Lane, Partition
from consumer.state.restoration import Restoration
from consumer.state.restorer import Restorer
from consumer.state.writer import StateWriter
from interceptor.contract import StatefulInterceptor


class PartitionStates:
    """Used by the loop's thread only. The interceptors' methods run in the event loop."""

    def __init__(
        self,
        interceptors: Mapping[str, StatefulInterceptor],
        event_loop: asyncio.AbstractEventLoop,
        restorer: Restorer,
        writer: StateWriter,
    ) -> None:
        self._interceptors = interceptors
        self._event_loop = event_loop
        self._restorer = restorer
        self.writer = writer
        self._restorations: dict[Lane, Restoration] = {}

    def keeps(self, topic: str) -> bool:
        """Whether an interceptor keeps state of this input topic."""
        return any(interceptor.has_state(topic) for interceptor in self._interceptors.values())

    @property
    def problem(self) -> str:
        """Why partitions are not processed yet; empty if all are. Any thread may read it."""
        waiting = list(self._restorations.values())  # a copy: the loop's thread changes them meanwhile
        if not waiting:
            return ""
        names = ", ".join(f"{topic}/{number}" for topic, number in sorted(each.partition for each in waiting))
        return next(filter(None, [each.problem for each in waiting]), f"restoring the state of {names}")

    def assigned(self, lanes: Iterable[Lane]) -> None:
        """Hold these lanes until their state is restored."""
        for lane in lanes:
            if self.keeps(lane.partition[0]):
                lane.is_held = True
                self._restorations[lane] = Restoration(lane.partition, lane.generation)
                self._restorer.submit([self._restorations[lane]])

    def advance(self, released: Callable[[], None]) -> None:
        """Release lanes whose state is restored. Raises ConsumerError, or what an interceptor raised."""
        for lane, restoration in list(self._restorations.items()):
            if restoration.done.done():
                del self._restorations[lane]
                restored = restoration.done.result()
                self.writer.restored(lane.partition, restored.state_partition)
                lane.release(restored.previous, restored.moves)
                released()

    def dropped(self, lanes: Iterable[Lane]) -> None:
        """Let the interceptors forget these lanes' partitions, after what was given to them before."""
        lanes = list(lanes)
        for lane in lanes:
            if (restoration := self._restorations.pop(lane, None)) is not None:
                restoration.is_cancelled = True
            if self.keeps(lane.partition[0]):
                with contextlib.suppress(RuntimeError):  # the event loop has ended
                    self._event_loop.call_soon_threadsafe(self._drop, lane.partition)
        self.writer.dropped(lane.partition for lane in lanes)

    def _drop(self, partition: Partition) -> None:
        for interceptor in self._interceptors.values():
            if interceptor.has_state(partition[0]):
                interceptor.drop(*partition)
