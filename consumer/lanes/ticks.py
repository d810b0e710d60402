"""Ticks: deliveries without a record, for partitions in which the clock matters; pure: the clocks are passed in."""

from __future__ import annotations

from collections.abc import Callable

from consumer.lanes.lane import Lane, Partition
from consumer.lanes.lanes import Lanes
from interceptor.delivery import Delivery, Tick

SILENT_S = 1.0
AGAIN_S = 0.25  # between the ticks of a silent partition: a step closes late by at most this time
LOOK_S = 0.1  # between looks for silent partitions


class Ticks:
    """Used by the loop's thread only.

    A partition with state gets ticks once it was silent for a second. A tick without effect costs no commit. A tick
    has the time only if the partition was read to its end: a slow broker may still have records of steps that are over.
    """

    def __init__(
        self,
        lanes: Lanes,
        keeps_state: Callable[[str], bool],
        clock_s: Callable[[], float],
        is_at_end: Callable[[Partition, int], bool],
    ) -> None:
        """keeps_state: whether partitions of an input topic have state. clock_s: seconds since 1970.

        is_at_end: whether Kafka has no records after this offset of a partition, as far as is known.
        """
        self._lanes = lanes
        self._keeps_state = keeps_state
        self._is_at_end = is_at_end
        self._clock_s = clock_s
        self._look_at_s = 0.0
        self._silent_since_s: dict[Lane, float] = {}
        self._last_offsets: dict[Lane, int | None] = {}  # at the last look

    def add_to_silent(self, now_s: float) -> bool:
        """Add a tick to each silent lane whose next tick is due. now_s: monotonic. Returns whether there is one."""
        if now_s < self._look_at_s:
            return False
        self._look_at_s = now_s + LOOK_S
        has_ticks = False
        silent: dict[Lane, float] = {}
        for lane in self._lanes:
            offset = lane.last_offset
            if offset is None or lane.unpublished or not self._can_tick(lane):
                continue
            since_s = self._silent_since_s.get(lane, now_s)
            if self._last_offsets.get(lane) != offset:
                self._last_offsets[lane], since_s = offset, now_s
            if now_s - since_s >= SILENT_S:
                is_at_end = self._is_at_end(lane.partition, offset)
                self._add(lane, int(self._clock_s() * 1000) if is_at_end else 0)
                since_s, has_ticks = now_s - SILENT_S + AGAIN_S, True
            silent[lane] = since_s
        self._silent_since_s = silent
        self._last_offsets = {lane: self._last_offsets[lane] for lane in silent}
        return has_ticks

    def add(self, lane: Lane) -> None:
        """Add a tick without a time to a lane that is given away, so that its state is written."""
        if self._can_tick(lane):
            self._add(lane, 0)

    def _can_tick(self, lane: Lane) -> bool:
        is_restored = not lane.is_held and not lane.is_dropped
        return is_restored and lane.last_offset is not None and self._keeps_state(lane.partition[0])

    def _add(self, lane: Lane, timestamp_ms: int) -> None:
        offset = lane.last_offset
        assert offset is not None
        tick = Tick(*lane.partition, offset, timestamp_ms, None, None, [])
        lane.add(Delivery(tick, lane.generation))
