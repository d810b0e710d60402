"""The dead letters of a topic: read, filtered, and published again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from consumer.errors import ConsumerError, NotPublished, OutcomeUnknown
from consumer.exactly_once import ExactlyOnce
from consumer.kafka_source import record, text
from interceptor import dead_letter
from interceptor.delivery import Record
from interceptor.errors import InvalidEvent
from interceptor.event import read_event

ANSWER_S = 10.0  # a broker that does not answer for so long is said to be away
CHUNK = 500  # letters of one transaction


class DeadLetter:
    """One letter: the record on the dead letters' topic, and what its headers say."""

    def __init__(self, letter: Record) -> None:
        self.record = letter
        self.headers = dead_letter.stripped(letter)
        added = {name: value for name, value in letter.headers if name in dead_letter.ADDED_HEADERS and value}
        self._added = {name: value.decode("utf-8", "replace") for name, value in added.items()}

    @property
    def reason(self) -> str:
        told = self._added.get("fncast-reason") or self._added.get("knativeerrordata", "")
        return told or self.record.flaw

    @property
    def attempts(self) -> int:
        return self._number("fncast-attempts") or 0

    @property
    def topic(self) -> str | None:
        """Where it was read first."""
        return self._added.get("fncast-topic")

    @property
    def partition(self) -> int | None:
        return self._number("fncast-partition")

    @property
    def refused_at(self) -> datetime:
        return datetime.fromtimestamp(self.record.timestamp_ms / 1000, UTC)

    def attributes(self) -> Mapping[str, Any]:
        """The event's; where it is none, what its headers say all the same."""
        try:
            return read_event(self.headers, self.record.value).attributes
        except InvalidEvent:
            named = {name[3:]: value for name, value in self.headers if name.startswith("ce_") and value}
            return {name: value.decode("utf-8", "replace") for name, value in named.items()}

    def _number(self, name: str) -> int | None:
        value = self._added.get(name, "")
        return int(value) if value.isascii() and value.isdecimal() else None


@dataclass(frozen=True)
class Filter:
    """Which letters are meant. reason: a part of it, in any case. since: refused at this time or later."""

    reason: str = ""
    destination: str = ""
    since: datetime | None = None

    def __contains__(self, letter: DeadLetter) -> bool:
        if self.since is not None and letter.refused_at < self.since:
            return False
        if self.reason.casefold() not in letter.reason.casefold():
            return False
        return not self.destination or letter.attributes().get("destination") == self.destination

    def name(self, since: str = "") -> str:
        """Tells this filter from others: each has its own progress. since: as its user wrote it (`2h` moves on)."""
        if self == Filter():
            return "all"
        return sha256(repr((self.reason, self.destination, since)).encode()).hexdigest()[:12]


class DeadLetterTopic:
    def __init__(self, client_properties: Mapping[str, str], topic: str, group_id: str) -> None:
        """group_id: whose committed offsets `committed` and `metadata` are about. Raises ConsumerError."""
        self.topic = topic
        properties: dict[str, Any] = {
            "log_level": 0,
            **client_properties,
            "group.id": group_id,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
        try:
            self._consumer = Consumer(properties)
        except (KafkaException, ValueError, TypeError) as error:
            raise ConsumerError(f"Kafka's client refuses the settings: {text(error)}") from None

    def close(self) -> None:
        self._consumer.close()

    def metadata(self) -> Any:
        return self._consumer.consumer_group_metadata()

    def partitions(self, topic: str | None = None) -> list[int]:
        """Raises ConsumerError where nobody answers, or the topic is not there."""
        name = topic or self.topic
        try:
            found = self._consumer.list_topics(name, ANSWER_S).topics[name]
        except KafkaException as error:
            raise ConsumerError(f"Kafka does not answer: {text(error)}") from None
        if found.error is not None:
            raise ConsumerError(f"there is no topic {name!r}: {found.error.str()}")
        return sorted(found.partitions)

    def committed(self) -> dict[int, int]:
        """The next offset by partition, where the group has one."""
        asked = [TopicPartition(self.topic, partition) for partition in self.partitions()]
        try:
            return {p.partition: p.offset for p in self._consumer.committed(asked, ANSWER_S) if p.offset >= 0}
        except KafkaException as error:
            raise ConsumerError(f"the offsets of earlier replays cannot be read: {text(error)}") from None

    def read(self, start: Mapping[int, int] | None = None, only: int | None = None) -> Iterator[DeadLetter]:
        """The letters from `start` (else the first) up to the present end, by partition and offset in turns.

        only: of this partition.

        What comes while they are read is left alone: a replay would go on for ever where a consumer refuses again what
        it has just published."""
        partitions = [partition for partition in self.partitions() if only in (None, partition)]
        starts = start or {}
        ends: dict[int | None, int] = {partition: self._end(partition) for partition in partitions}
        self._consumer.assign([TopicPartition(self.topic, p, starts.get(p, 0)) for p in partitions])
        heard_s = time.monotonic()
        while ends:
            for message in self._consumer.consume(CHUNK, 0.2):
                heard_s = time.monotonic()
                error = message.error()
                if error is None:
                    letter = record(message)
                    if letter.offset < ends.get(letter.partition, 0):
                        yield DeadLetter(letter)
                    elif ends.pop(letter.partition, None) is not None:
                        self._consumer.pause([TopicPartition(self.topic, letter.partition)])
                elif error.code() == KafkaError._PARTITION_EOF:
                    ends.pop(message.partition(), None)
                elif error.fatal() or not error.retriable():
                    raise ConsumerError(f"reading {self.topic!r} failed: {error.str()}")
            if time.monotonic() - heard_s > ANSWER_S:
                raise ConsumerError(f"Kafka does not answer while {self.topic!r} is read")

    def _end(self, partition: int) -> int:
        """The offset behind the last record that is there now. Raises ConsumerError."""
        try:
            ends: tuple[int, int] = self._consumer.get_watermark_offsets(
                TopicPartition(self.topic, partition), ANSWER_S
            )
        except KafkaException as error:
            raise ConsumerError(f"Kafka does not answer: {text(error)}") from None
        return ends[1]


class Replay:
    """Publishes letters again where they came from, each once: its progress is in the transaction.

    Key, value and the record's own headers (so the event's id) are as they were; what the dead letter added is gone.
    """

    def __init__(
        self,
        letters: DeadLetterTopic,
        publisher: ExactlyOnce,
        wanted: Filter,
        default_topic: str,
    ) -> None:
        """default_topic: for letters that do not say where they came from."""
        self._letters = letters
        self._publisher = publisher
        self._wanted = wanted
        self._default_topic = default_topic
        self._counts: dict[str, int] = {}

    def run(self) -> int:
        """Replay what is there now and was not replayed before. Returns how many. Raises ConsumerError."""
        if not self._is_started_within(ANSWER_S):
            raise ConsumerError("Kafka does not answer")
        offsets: dict[tuple[str, int], int] = {}
        replayed = unfinished = 0
        try:
            for letter in self._letters.read(self._letters.committed()):
                offsets[self._letters.topic, letter.record.partition] = letter.record.offset + 1
                unfinished += 1
                if letter in self._wanted and not letter.record.flaw:  # where it came from is not known
                    self._publish(letter)
                    replayed += 1
                if unfinished >= CHUNK:
                    self._publisher.finish(offsets, self._letters.metadata())
                    unfinished = 0
            if unfinished:
                self._publisher.finish(offsets, self._letters.metadata())
        except NotPublished as failure:
            raise ConsumerError(f"the last of them were not replayed, start it again: {failure}") from None
        except OutcomeUnknown as doubt:  # the progress is in the same transaction: the next replay reads it
            raise ConsumerError(
                f"whether the last of them were replayed is not known, start it again: {doubt}"
            ) from None
        return replayed

    def _is_started_within(self, within_s: float) -> bool:
        until_s = time.monotonic() + within_s
        while not (is_started := self._publisher.start()) and time.monotonic() < until_s:
            pass
        return is_started

    def _publish(self, letter: DeadLetter) -> None:
        topic = letter.topic or self._default_topic
        if topic not in self._counts:  # asked once: each question waits for the fetch that is under way
            self._counts[topic] = len(self._letters.partitions(topic))
        count = self._counts[topic]
        partition = letter.partition if letter.partition is not None and letter.partition < count else -1
        record = letter.record
        self._publisher.publish(topic, partition, record.key, record.value, letter.headers)
