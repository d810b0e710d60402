"""Reacts to changes of the topics while the consumer runs: created again, or resized."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from consumer.lanes.lane import Partition
from consumer.lanes.lanes import Lanes
from consumer.loop_parts import LoopParts

log = logging.getLogger("fncast.consumer")

# A client that reads a topic from its start returns the first record within this time, if there is one.
UNREAD_S = 15.0


class TopicChanges:
    """Used by the loop's thread only."""

    def __init__(self, parts: LoopParts, lanes: Lanes, rejoin: Callable[[str], None]) -> None:
        """rejoin: joins the group with a new client, for the reason given."""
        self._topics = parts.topics
        self._source = parts.source
        self._results = parts.results
        self._dead_letters = parts.dead_letters
        self._lanes = lanes
        self._rejoin = rejoin
        self._unread: dict[Partition, float] = {}  # until when the client must have read something

    def handle(self, inputs: Iterable[str], now_s: float) -> None:
        """Read an input topic that was created again from its start. inputs: the topics that are read.

        now_s: monotonic.
        """
        watch = self._topics.watch
        if watch is None:
            return
        changed = watch.look(now_s, self._lanes.partitions)
        for topic in changed.created_again:
            if topic in inputs:
                self._read_from_start(topic, watch.seen_at_s.get(topic, now_s), now_s)
        if changed.created_again or changed.resized:
            self._results.forget_partitions()
        if self._unread:
            self._check_unread(now_s, watch.ends)

    def _read_from_start(self, topic: str, seen_at_s: float, now_s: float) -> None:
        """Read the partitions of a topic that was created again after `seen_at_s`.

        A partition that was beyond its end since then is read from its start already, and a warning has said so.
        """
        partitions = [partition for partition in self._lanes.partitions if partition[0] == topic]
        self._dead_letters.assigned(partitions)
        for lane in self._lanes.of(partitions):
            lane.start = 0  # all records of the new topic count as lag
        behind = [partition for partition in partitions if not self._source.was_reset(partition, seen_at_s)]
        level = logging.WARNING if behind == partitions else logging.INFO
        log.log(level, "the topic %s was deleted and created again: it is read from its start", topic)
        self._source.read_from_start(behind)
        self._unread |= dict.fromkeys(behind, now_s + UNREAD_S)

    def _check_unread(self, now_s: float, ends: Mapping[Partition, int]) -> None:
        """Replace a client that reads nothing of a topic that was created again, although it has records."""
        for partition, until_s in list(self._unread.items()):
            if partition not in self._lanes.partitions or self._source.position(partition) is not None:
                del self._unread[partition]
            elif now_s >= until_s and ends.get(partition, 0) > 0:
                self._unread.clear()
                self._rejoin(f"nothing is read from {partition[0]}/{partition[1]}, which has records")
                return
