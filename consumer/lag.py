"""Measures how far the consumer is behind: the end of each partition minus the group's committed offset."""

from __future__ import annotations

from consumer import metrics
from consumer.kafka.source.source import COMMITTED_S, KafkaSource
from consumer.kafka.topics.topics import Topics
from consumer.lanes.lane import Lane
from consumer.lanes.lanes import Lanes


class Lag:
    """Used by the loop's thread only."""

    def __init__(self, lanes: Lanes, source: KafkaSource, topics: Topics) -> None:
        self._lanes = lanes
        self._source = source
        self._topics = topics

    def measure(self) -> None:
        """Set the metrics of all assigned partitions, paused partitions included."""
        metrics.IN_FLIGHT.set(self._lanes.in_flight())
        ends = self._topics.watch.ends if self._topics.watch is not None else {}
        for lane in self._lanes:
            end = ends.get(lane.partition, self._source.end(lane.partition))
            committed = self._committed_offset(lane)
            if end is not None and committed is not None:
                metrics.LAG.labels(*lane.partition).set(max(0, end - committed))

    def _committed_offset(self, lane: Lane) -> int | None:
        """None if nothing was read or committed yet. A lane holds each record that was read until it is committed."""
        if (offset := lane.first_offset) is not None:
            return offset
        if (offset := self._source.position(lane.partition)) is not None:
            return offset
        if lane.start is None:
            found = self._source.committed([lane.partition], COMMITTED_S)
            lane.start = found.get(lane.partition, -1) if found is not None else None
        return lane.start if lane.start is not None and lane.start >= 0 else None
