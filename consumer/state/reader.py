"""Reads ranges of partitions to restore state: the adapter over a Kafka client that is in no group."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from consumer.errors import ConsumerError
from consumer.kafka.authorization import authorization_error
from consumer.kafka.errors import create_client, map_kafka_errors, reported_offset
from consumer.kafka.source.properties import MAX_FETCH_BYTES, MAX_PREFETCH_KB
from consumer.lanes.lane import Partition
from fncast.wording.kafka import describe

log = logging.getLogger("fncast.kafka")

CHUNK = 500  # records
POLL_S = 0.2
ANSWER_S = 2.0
FETCH_WAIT_MS = 50  # the end of a partition is reported after this
# Transactions of other consumers may hide the end of the state topic until they end or time out.
SILENT_S = 30.0

END = OffsetSpec.latest()  # type: ignore[no-untyped-call]
BEGINNING = OffsetSpec.earliest()  # type: ignore[no-untyped-call]


class Unavailable(Exception):
    """The broker cannot answer now; try again with a new reader. The text says why."""


class NoTopic(Unavailable):
    """The topic does not exist, or not yet."""


class Reader:
    """Read-committed. Used by one thread. Every method raises Unavailable; ConsumerError if access is denied."""

    def __init__(self, client_properties: Mapping[str, str], group_id: str) -> None:
        """group_id: whose committed offsets are read. The reader does not join the group."""
        self._group_id = group_id
        properties: dict[str, Any] = {
            "log_level": 2,
            "queued.max.messages.kbytes": MAX_PREFETCH_KB,
            "fetch.max.bytes": MAX_FETCH_BYTES,
            **client_properties,
            "group.id": group_id,
            "fetch.wait.max.ms": FETCH_WAIT_MS,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
        }
        self._consumer = create_client(Consumer, properties, logger=log)
        self._admin = create_client(AdminClient, {"log_level": 2, **client_properties}, logger=log)

    def committed(self, partition: Partition) -> int:
        """The group's committed offset; below 0 if there is none. Raises Unavailable if the broker does not answer.

        Waits for open transactions of the group.
        """
        with map_kafka_errors(lambda cause: self._failure(cause, self._group_id)):
            (answer,) = self._consumer.committed([TopicPartition(*partition)], ANSWER_S)
        if answer.error is not None:
            raise self._failure(answer.error, self._group_id)
        return int(answer.offset)

    def partitions_of(self, topic: str) -> int:
        """The number of partitions of a topic. Raises NoTopic if it does not exist."""
        with map_kafka_errors(lambda cause: self._failure(cause, topic)):
            metadata = self._consumer.list_topics(topic, ANSWER_S).topics[topic]
        error = metadata.error
        is_missing = error is None and not metadata.partitions
        if is_missing or (error is not None and error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART):
            raise NoTopic(f"the topic {topic!r} does not exist")
        if error is not None:
            raise self._failure(error, topic)
        return len(metadata.partitions)

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """The offset of the first record, and the offset after the last one, open transactions included.

        Raises Unavailable.
        """
        topic_partition = TopicPartition(*partition)
        offsets = []
        with map_kafka_errors(lambda cause: self._failure(cause, partition[0])):
            for spec in (BEGINNING, END):
                answers = self._admin.list_offsets({topic_partition: spec}, request_timeout=ANSWER_S)
                offsets.append(reported_offset(topic_partition, answers[topic_partition]))
        return offsets[0], offsets[1]

    def read(self, partition: Partition, start: int, end: int) -> Generator[list[Message]]:
        """Chunks of the committed records from offset `start` to before `end`, in order.

        An empty chunk says that none came for a moment, so that the caller can stop. Raises Unavailable, ConsumerError.
        """
        if start >= end:
            return
        try:
            with map_kafka_errors(lambda cause: self._failure(cause, partition[0])):
                self._consumer.assign([TopicPartition(*partition, start)])
                yield from self._chunks(partition, end)
        finally:
            self._consumer.unassign()

    def _chunks(self, partition: Partition, end: int) -> Generator[list[Message]]:
        heard_s = time.monotonic()
        while True:
            chunk: list[Message] = []
            is_over = False
            # With a time-out, the client waits for the whole chunk.
            messages = self._consumer.consume(CHUNK, 0) or self._consumer.consume(1, POLL_S)
            for message in messages:
                error = message.error()
                offset = message.offset()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise self._failure(error, partition[0])
                is_over = is_over or (offset is not None and offset >= end)
                if error is None and not is_over:
                    chunk.append(message)
            yield chunk
            if is_over or (chunk and chunk[-1].offset() == end - 1):
                return
            if messages:
                heard_s = time.monotonic()  # not earlier: the caller may take its time with a chunk
            elif time.monotonic() - heard_s > SILENT_S:
                raise Unavailable(f"{partition[0]}/{partition[1]} was not read to its end")

    def close(self) -> None:
        """Close the Kafka client."""
        self._consumer.close()

    def _failure(self, error: KafkaError, name: str) -> Unavailable | ConsumerError:
        return authorization_error(error, [name]) or Unavailable(describe(error))
