"""Reacts to changes of the topics while the consumer runs: created again, or resized."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from consumer.dead_letter_watch import DeadLetterWatch
from consumer.kafka.source import KafkaSource
from consumer.kafka.topics import Topics
from consumer.lanes import Lanes
from consumer.result_publisher import ResultPublisher

log = logging.getLogger("fncast.consumer")


class TopicChanges:
    """Used by the loop's thread only."""

    def __init__(
        self,
        topics: Topics,
        lanes: Lanes,
        source: KafkaSource,
        results: ResultPublisher,
        dead_letters: DeadLetterWatch,
    ) -> None:
        self._topics = topics
        self._lanes = lanes
        self._source = source
        self._results = results
        self._dead_letters = dead_letters

    def handle(self, inputs: Iterable[str]) -> None:
        """Read an input topic that was created again from its start. inputs: the topics that are read."""
        if self._topics.watch is None:
            return
        changed = self._topics.watch.look(time.monotonic(), self._lanes.partitions)
        for topic in changed.created_again:
            if topic in inputs:
                log.warning("the topic %s was deleted and created again: it is read from its start", topic)
                partitions = [partition for partition in self._lanes.partitions if partition[0] == topic]
                self._dead_letters.assigned(partitions)
                self._source.read_from_start(partitions)
        if changed.created_again or changed.resized:
            self._results.assigned()
