"""Reads the dead letters of a topic."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicCollection, TopicPartition
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined]

from consumer.errors import ConsumerError
from consumer.kafka.authorization import DENIED, GRANT, authorization_error
from consumer.kafka.dead_letters.stored import MAX_HEADER, StoredDeadLetter
from consumer.kafka.errors import create_client, failing_as, map_kafka_errors
from consumer.kafka.message import to_record
from consumer.settings.values import TOPIC_NAME
from fncast.foreign_text import clean
from fncast.wording.kafka import describe

ANSWER_S = 10.0  # after this the broker counts as not available
CHUNK = 500  # letters that are read at once, and that a replay publishes in one transaction


class UnknownTopic(ConsumerError):
    """The topic does not exist, or this login may not use it."""


def is_topic_name(name: str) -> bool:
    """Whether Kafka accepts this name."""
    return TOPIC_NAME.match(name) is not None


def _check_name(topic: str) -> None:
    if not is_topic_name(topic):
        raise UnknownTopic(f"there is no topic {clean(topic, MAX_HEADER)!r}: Kafka allows no such name")


class DeadLetterTopic:
    """Reads a topic of dead letters, and the progress of replays."""

    def __init__(self, client_properties: Mapping[str, str], topic: str, group_id: str) -> None:
        """group_id: the group of `committed` and `metadata`. Raises ConsumerError."""
        self.topic = topic
        self._servers = client_properties["bootstrap.servers"]
        self._last_error: KafkaError | None = None  # of a connection
        self._client_properties = client_properties
        properties: dict[str, Any] = {
            "log_level": 0,
            **client_properties,
            "error_cb": self._on_error,
            "group.id": group_id,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
        self._consumer = create_client(Consumer, properties)

    def _on_error(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last_error = error

    def close(self) -> None:
        """Close the Kafka client."""
        self._consumer.close()

    def metadata(self) -> Any:
        """The group metadata for a transaction with the group's offsets."""
        return self._consumer.consumer_group_metadata()

    def partitions(self) -> list[int]:
        """The topic's partitions. Raises UnknownTopic; ConsumerError if the broker does not answer."""
        _check_name(self.topic)
        with map_kafka_errors(self._unreachable):
            found = self._consumer.list_topics(self.topic, ANSWER_S).topics[self.topic]
        if found.error is not None:
            raise UnknownTopic(f"there is no topic {self.topic!r}: {describe(found.error)}")
        return sorted(found.partitions)

    @cached_property
    def _admin(self) -> AdminClient:
        return create_client(AdminClient, {"log_level": 0, **self._client_properties})

    def partitions_to_write(self, topic: str) -> int:
        """The number of partitions of a topic that letters go to.

        Raises UnknownTopic, also where this login may not write to it; ConsumerError if the broker does not answer.
        """
        _check_name(topic)
        answers = self._admin.describe_topics(
            TopicCollection([topic]), include_authorized_operations=True, request_timeout=ANSWER_S
        )
        with map_kafka_errors(lambda cause: self._not_found(topic, cause)):
            found = answers[topic].result()
        # Brokers before Kafka 2.3 do not report the operations (KIP-430).
        if found.authorized_operations and AclOperation.WRITE not in found.authorized_operations:
            raise UnknownTopic(f"{DENIED} write to the topic {topic!r}. {GRANT}")
        return len(found.partitions)

    def _not_found(self, topic: str, cause: KafkaError) -> ConsumerError:
        if denied := authorization_error(cause, [topic]):
            return UnknownTopic(str(denied))
        if cause.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return UnknownTopic(f"there is no topic {topic!r}")
        return self._unreachable(cause)

    def committed(self) -> dict[int, int]:
        """By partition the group's next offset, if it has one."""
        partitions = [TopicPartition(self.topic, partition) for partition in self.partitions()]
        with map_kafka_errors(failing_as("the offsets of earlier replays cannot be read")):
            return {
                p.partition: p.offset for p in self._consumer.committed(partitions, ANSWER_S) if p.offset >= 0
            }

    def read(
        self, start: Mapping[int, int] | None = None, only: int | None = None
    ) -> Iterator[StoredDeadLetter]:
        """Read letters from `start`, else from the first, to the current end. only: the one partition to read.

        Letters that arrive meanwhile are not read. Otherwise a replay would never end if a consumer rejects the
        replayed records again. Raises ConsumerError if the broker does not answer.
        """
        partitions = [partition for partition in self.partitions() if only in (None, partition)]
        starts = start or {}
        ends: dict[int | None, int] = {partition: self._end(partition) for partition in partitions}
        self._consumer.assign([TopicPartition(self.topic, p, starts.get(p, 0)) for p in partitions])
        heard_s = time.monotonic()
        while ends:
            messages = self._consumer.consume(CHUNK, 0.2)
            if not messages and time.monotonic() - heard_s > ANSWER_S:
                raise ConsumerError(f"Kafka does not answer while reading {self.topic!r}")
            for message in messages:
                if (error := message.error()) is not None:
                    if self._is_end(error):
                        ends.pop(message.partition(), None)
                    continue
                letter = to_record(message)
                if letter.offset < ends.get(letter.partition, 0):
                    yield StoredDeadLetter(letter)
                elif ends.pop(letter.partition, None) is not None:
                    self._consumer.pause([TopicPartition(self.topic, letter.partition)])
            if messages:
                heard_s = time.monotonic()  # not earlier: the caller may take its time with a letter

    def _is_end(self, error: KafkaError) -> bool:
        """Whether an error event is the end of a partition. Raises ConsumerError if the client cannot continue."""
        if error.code() == KafkaError._PARTITION_EOF:
            return True
        if error.fatal() or not error.retriable():
            raise ConsumerError(f"reading {self.topic!r} failed: {describe(error)}")
        return False

    def _unreachable(self, cause: KafkaError) -> ConsumerError:
        self._consumer.poll(0)  # calls _on_error
        return ConsumerError(f"no Kafka answers at {self._servers}: {describe(self._last_error or cause)}")

    def _end(self, partition: int) -> int:
        """The offset after the current last record. Raises ConsumerError."""
        with map_kafka_errors(self._unreachable):
            ends: tuple[int, int] = self._consumer.get_watermark_offsets(
                TopicPartition(self.topic, partition), ANSWER_S
            )
        return ends[1]
