"""Measures how far the consumer is behind: the end of each partition minus the group's committed offset."""

from __future__ import annotations

from collections.abc import Sequence

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
        found = {lane: self._uncommitted_offset(lane) for lane in self._lanes}
        self._read_starts([lane for lane, offset in found.items() if offset is None and lane.start is None])
        for lane, offset in found.items():
            end = ends.get(lane.partition, self._source.end(lane.partition))
            committed = lane.start if offset is None else offset
            if end is not None and committed is not None and committed >= 0:
                metrics.LAG.labels(*lane.partition).set(max(0, end - committed))

    def _uncommitted_offset(self, lane: Lane) -> int | None:
        """The first offset that is not committed; None if nothing was read yet.

        A lane holds each record that was read until it is committed.
        """
        offset = lane.first_offset
        return self._source.position(lane.partition) if offset is None else offset

    def _read_starts(self, lanes: Sequence[Lane]) -> None:
        """Set the `start` of lanes by one request: the loop does not poll while it waits for the broker."""
        partitions = [lane.partition for lane in lanes]
        found = self._source.committed(partitions, COMMITTED_S) if partitions else None
        if found is not None:
            for lane in lanes:
                lane.start = found.get(lane.partition, -1)
