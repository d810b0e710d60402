"""Reads the newest records of topics, within limits of time and bytes. It joins no group and commits nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from consumer.errors import ConsumerError
from consumer.kafka.errors import create_client, map_kafka_errors, reported_offset
from consumer.kafka.message import to_record
from consumer.kafka.topics.topics import EMBEDDED
from fncast.foreign_text import clean
from fncast.recognition.sample import Sample, clean_topic
from fncast.wording.kafka import describe
from interceptor.delivery import Record

RECORDS = 200
TIME_S = 10.0  # for reading one topic
ANSWER_S = 5.0  # for one request
MAX_BYTES = 16 * 1024 * 1024
# With fewer records, the sampler reads FURTHER times as many offsets: transactions and compaction leave gaps in them.
ENOUGH = 20
FURTHER = 25
POLL_S = 0.2


class SampleError(Exception):
    """The topic cannot be read. The message is one sentence."""


class TopicSampler:
    """Looks at topics of one cluster. Use it from one thread, and close it."""

    def __init__(self, client_properties: Mapping[str, str]) -> None:
        """Raises SampleError if the Kafka client rejects the properties."""
        self._servers = client_properties["bootstrap.servers"]
        self._denied: KafkaError | None = None
        self._last_error: KafkaError | None = None
        common = {"log_level": 0, "error_cb": self._on_error}
        properties = {
            "fetch.max.bytes": 2 * 1024 * 1024,
            "queued.max.messages.kbytes": 4 * 1024,
            "allow.auto.create.topics": False,
            **client_properties,
            **common,
            "group.id": "fncast-init",  # required by the client; the group is never joined
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
        try:
            self._consumer = create_client(Consumer, properties)
            self._admin = create_client(AdminClient, {**client_properties, **common})
        except ConsumerError as error:
            raise SampleError(str(error)) from None
        self._topics: dict[str, int] | None = None
        self.is_embedded = False

    def _on_error(self, error: KafkaError) -> None:
        if error.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL):
            self._denied = error
        elif error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last_error = error

    def topics(self) -> dict[str, int]:
        """The number of partitions of each topic that this login may see. Raises SampleError if no broker answers."""
        if self._topics is None:
            with map_kafka_errors(self._no_answer):
                cluster = self._consumer.list_topics(timeout=ANSWER_S)
            self.is_embedded = (cluster.cluster_id or "").startswith(EMBEDDED)
            self._topics = {
                name: len(topic.partitions) for name, topic in cluster.topics.items() if topic.error is None
            }
        return self._topics

    def _no_answer(self, error: KafkaError) -> SampleError:
        self._consumer.poll(0)  # calls _on_error with the errors that the client has queued
        if self._denied is not None:
            return SampleError(f"Kafka at {self._servers} refuses the connection: {describe(self._denied)}")
        return SampleError(f"no Kafka answers at {self._servers}: {describe(self._last_error or error)}")

    def sample(self, topic: str, limit: int = RECORDS, time_s: float = TIME_S) -> Sample:
        """The newest `limit` records of a topic, over all partitions. Raises SampleError."""
        partitions = self.topics().get(topic, 0)
        if not partitions:
            if not self.is_embedded and self._is_denied(topic):
                raise SampleError(_denied(topic))
            raise SampleError(
                f"the topic {clean_topic(topic)} does not exist on {self._servers}, or this login may not see it."
                f" {self._visible_topics()}"
            )
        first, end = self._offsets(topic, partitions)
        total = sum(end[number] - first[number] for number in end)
        deadline_s = time.monotonic() + time_s
        back = limit
        # By partition and offset. A read that is cut lacks the newest records, which an earlier read may have.
        found: dict[tuple[int, int], Record] = {}
        while True:
            starts = _starts(first, end, back)
            records, is_cut = self._read(topic, starts, end, limit, deadline_s)
            found |= {(record.partition, record.offset): record for record in records}
            # A partition without a start is not read: that is the whole partition only if it is empty.
            is_whole = all(starts.get(number, end[number]) == first[number] for number in end)
            if len(records) >= min(ENOUGH, limit) or is_whole or is_cut:
                newest = _newest(list(found.values()), limit)
                return Sample(topic, partitions, total, newest, is_cut, self.is_embedded)
            back *= FURTHER

    def _is_denied(self, topic: str) -> bool:
        """Whether this login may not see a topic. A broker says so only if a request names the topic."""
        try:
            answers = self._admin.describe_topics(TopicCollection([topic]), request_timeout=ANSWER_S)
            answers[topic].result(2 * ANSWER_S)
        except KafkaException as error:
            return bool(error.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED)
        except (ValueError, TimeoutError):
            return False
        return False

    def _visible_topics(self) -> str:
        visible = [name for name in self.topics() if not name.startswith("__")]
        if not visible:
            return "This login sees no topic"
        shown = ", ".join(clean(name, 60) for name in sorted(visible)[:10])
        return f"The topics are {shown}{', …' * (len(visible) > 10)}"

    def _offsets(self, topic: str, partitions: int) -> tuple[dict[int, int], dict[int, int]]:
        """The first and the next offset of each partition. Raises SampleError."""
        found = []
        for spec in (OffsetSpec.earliest(), OffsetSpec.latest()):  # type: ignore[no-untyped-call]
            specs = {TopicPartition(topic, number): spec for number in range(partitions)}
            with map_kafka_errors(lambda cause: self._unreadable(topic, cause)):
                answers = self._admin.list_offsets(specs, request_timeout=ANSWER_S)
                found.append(
                    {
                        topic_partition.partition: reported_offset(topic_partition, answer)
                        for topic_partition, answer in answers.items()
                    }
                )
        return found[0], found[1]

    def _unreadable(self, topic: str, error: KafkaError) -> SampleError:
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return SampleError(_denied(topic))
        return SampleError(f"the topic {clean_topic(topic)} cannot be read: {describe(error)}")

    def _read(
        self, topic: str, starts: dict[int, int], end: dict[int, int], limit: int, deadline_s: float
    ) -> tuple[list[Record], bool]:
        """The last `limit` records from `starts` on, and whether a limit stopped reading. Raises SampleError."""
        unread = {number for number in starts if starts[number] < end[number]}
        self._consumer.assign([TopicPartition(topic, number, starts[number]) for number in sorted(unread)])
        try:
            records = self._consume(topic, unread, end, deadline_s)
        finally:
            with suppress(KafkaException):
                self._consumer.unassign()
        return _newest(records, limit), bool(unread)

    def _consume(self, topic: str, unread: set[int], end: dict[int, int], deadline_s: float) -> list[Record]:
        """The records of the assigned partitions. Removes the partitions from `unread` that are read to their end."""
        records: list[Record] = []
        size = 0
        while unread and size <= MAX_BYTES and time.monotonic() <= deadline_s:
            for message in self._consumer.consume(500, POLL_S):
                error = message.error()
                number = message.partition() or 0
                if error is None:
                    records.append(to_record(message))
                    size += len(message)
                    if (message.offset() or 0) + 1 >= end[number]:
                        unread.discard(number)
                elif error.code() == KafkaError._PARTITION_EOF:
                    unread.discard(number)
                elif error.code() in (
                    KafkaError.TOPIC_AUTHORIZATION_FAILED,
                    KafkaError.UNKNOWN_TOPIC_OR_PART,
                ):
                    raise self._unreadable(topic, error)
        return records

    def close(self) -> None:
        """Close the client."""
        self._consumer.close()


def _denied(topic: str) -> str:
    return f"this login may not read the topic {clean_topic(topic)}: grant it Read and Describe on the topic"


def _starts(first: Mapping[int, int], end: Mapping[int, int], limit: int) -> dict[int, int]:
    """Where to start in each partition, so that about `limit` records are read, as evenly as the partitions allow."""
    sizes = {number: end[number] - first[number] for number in end if end[number] > first[number]}
    starts: dict[int, int] = {}
    left = limit
    for index, number in enumerate(sorted(sizes, key=lambda number: sizes[number])):
        share = -(-left // (len(sizes) - index))  # of what is left, rounded up
        taken = min(sizes[number], share)
        starts[number] = end[number] - taken
        left -= min(taken, left)
    return {number: start for number, start in starts.items() if start < end[number]}


def _newest(records: list[Record], limit: int) -> list[Record]:
    """The newest records by timestamp, in the order of partition and offset."""
    newest = sorted(records, key=lambda found: found.timestamp_ms)[-limit:]
    return sorted(newest, key=lambda found: (found.partition, found.offset))
