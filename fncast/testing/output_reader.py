"""Reads what the consumer has published on a topic since the last call."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

ANSWER_S = 10.0
POLL_S = 0.05
MAX_MESSAGES = 1000  # messages a poll


class OutputReader:
    """Reads some topics from their end at creation. Used by one thread, which calls `close`."""

    def __init__(self, client_properties: Mapping[str, str], topics: list[str]) -> None:
        self._reader = _client(client_properties, "read_committed")
        # The markers of a transaction are written after its commit, so only a client that reads uncommitted records
        # sees the real ends.
        self._end_reader = _client(client_properties, "read_uncommitted")
        self._topics = topics
        self._next = self._ends(time.monotonic() + ANSWER_S)

    def read_new(self, within_s: float) -> dict[str, list[Message]]:
        """Return by topic the records up to its current end, in order in each partition. Raises TimeoutError."""
        deadline_s = time.monotonic() + within_s
        ends = self._ends(deadline_s)
        found: dict[str, list[Message]] = {topic: [] for topic in self._topics}
        new = [place for place, end in ends.items() if end > self._next.get(place, 0)]
        self._reader.assign([TopicPartition(*place, self._next.get(place, 0)) for place in new])
        is_read = not new
        while not is_read:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"the ends of {', '.join(self._topics)} were not read in {within_s:g} s")
            for message in self._reader.consume(MAX_MESSAGES, POLL_S):
                if message.error() is None:
                    found[str(message.topic())].append(message)
            positions = self._reader.position([TopicPartition(*place) for place in new])
            is_read = all(place.offset >= ends[place.topic, place.partition] for place in positions)
            self._next |= {
                (place.topic, place.partition): place.offset for place in positions if place.offset >= 0
            }
        for messages in found.values():  # the sort is stable: the order in a partition stays
            messages.sort(key=lambda message: message.partition() or 0)
        return found

    def close(self) -> None:
        """Close both Kafka clients."""
        self._reader.close()
        self._end_reader.close()

    def _ends(self, deadline_s: float) -> dict[tuple[str, int], int]:
        """The end offset by topic and partition. A topic that does not exist yet has no partitions."""
        while True:
            try:
                return self._current_ends()
            except KafkaException:  # a new topic has no leader yet
                if time.monotonic() > deadline_s:
                    raise
            time.sleep(POLL_S)

    def _current_ends(self) -> dict[tuple[str, int], int]:
        client, ends = self._end_reader, {}
        for topic in self._topics:
            for partition in client.list_topics(topic, ANSWER_S).topics[topic].partitions:
                place = TopicPartition(topic, partition)
                ends[topic, partition] = client.get_watermark_offsets(place, ANSWER_S)[1]
        return ends


def _client(client_properties: Mapping[str, str], isolation: str) -> Consumer:
    return Consumer(
        {
            **client_properties,
            "group.id": f"fncast-testing-{uuid.uuid4().hex}",  # no group is joined
            "isolation.level": isolation,
            "enable.auto.commit": False,
            "enable.partition.eof": True,  # so that the position passes the markers of transactions
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
    )
