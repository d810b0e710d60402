"""Reads what the consumer has published on a topic since the last call."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping

from confluent_kafka import Consumer, Message, TopicPartition

ANSWER_S = 10.0
POLL_S = 0.05
MOST = 1000  # messages a poll


class OutputReader:
    """Reads some topics from their end at creation. Used by one thread, which calls `close`."""

    def __init__(self, client_properties: Mapping[str, str], topics: list[str]) -> None:
        self._consumer = Consumer(
            {
                **client_properties,
                "group.id": f"fncast-testing-{uuid.uuid4().hex}",  # no group is joined
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,  # so that the position passes the markers of transactions
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )
        self._topics = topics
        self._next = self._ends()

    def read_new(self, within_s: float) -> dict[str, list[Message]]:
        """Return by topic the records up to its current end, in order in each partition. Raises TimeoutError."""
        deadline_s = time.monotonic() + within_s
        ends = self._ends()
        found: dict[str, list[Message]] = {topic: [] for topic in self._topics}
        missing = {place: end for place, end in ends.items() if end > self._next.get(place, 0)}
        self._consumer.assign([TopicPartition(*place, self._next.get(place, 0)) for place in missing])
        while missing:
            if time.monotonic() > deadline_s:
                raise TimeoutError(
                    f"the ends of {', '.join(self._topics)} were not read within {within_s:g} s"
                )
            for message in self._consumer.consume(MOST, POLL_S):
                if message.error() is None:
                    found[str(message.topic())].append(message)
            for at in self._consumer.position([TopicPartition(*place) for place in missing]):
                place = (at.topic, at.partition)
                if at.offset >= missing[place]:
                    self._next[place] = at.offset
                    del missing[place]
        for messages in found.values():
            messages.sort(
                key=lambda message: message.partition() or 0
            )  # stable: the order in a partition stays
        return found

    def close(self) -> None:
        self._consumer.close()

    def _ends(self) -> dict[tuple[str, int], int]:
        """The end offset by topic and partition. A topic that does not exist yet has no partitions."""
        ends = {}
        for topic in self._topics:
            for partition in self._consumer.list_topics(topic, ANSWER_S).topics[topic].partitions:
                place = TopicPartition(topic, partition)
                ends[topic, partition] = self._consumer.get_watermark_offsets(place, ANSWER_S)[1]
        return ends
