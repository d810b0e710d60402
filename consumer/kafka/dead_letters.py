"""Reads and filters the dead letters of a topic."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

from consumer.errors import ConsumerError
from consumer.kafka.errors import create_client, failing_as, map_kafka_errors
from consumer.kafka.message import record
from fncast.foreign_text import clean
from fncast.wording.kafka import describe
from interceptor import dead_letter
from interceptor.cloudevents.reader import read_event
from interceptor.delivery import Record
from interceptor.errors import InvalidEvent

ANSWER_S = 10.0  # after this the broker counts as not available
CHUNK = 500  # letters in one transaction
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


MAX_REASON = dead_letter.MAX_DATA_BYTES  # characters
MAX_HEADER = 64  # characters shown of a header that should be a number or a short name
_NUMBER = re.compile(r"[0-9]{1,18}")
# What Kafka accepts as a topic's name.
_TOPIC = re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}")


class UnknownTopic(ConsumerError):
    """The topic does not exist, or this login may not use it."""


class DeadLetter:
    """One dead letter: its record and its headers. Any program may have written them, so they are not trusted."""

    def __init__(self, letter: Record) -> None:
        self.record = letter
        self.headers, added = dead_letter.own_and_added(letter)
        names = dead_letter.ADDED_HEADERS
        values = {name: value for name, value in added or letter.headers if name in names and value}
        self._added = {name: value.decode("utf-8", "replace") for name, value in values.items()}

    @property
    def place(self) -> str:
        """Where the letter is in its topic: PARTITION/OFFSET."""
        return f"{self.record.partition}/{self.record.offset}"

    @property
    def reason(self) -> str:
        """Why the record was rejected, on one line; the record's flaw if no header says it."""
        reason = self._added.get("fncast-reason") or self._added.get("knativeerrordata", "")
        return clean(reason, MAX_REASON) or self.record.flaw

    @property
    def attempts(self) -> int | str:
        """A number, or the header's text if it is not a number."""
        text = self._added.get("fncast-attempts", "0")
        number = _number(text)
        return clean(text, MAX_HEADER) if number is None else number

    @property
    def topic(self) -> str | None:
        """The input topic that the letter names."""
        return self._added.get("fncast-topic")

    @property
    def partition(self) -> int | None:
        """The partition of the input topic; None if the letter does not name a number."""
        return _number(self._added.get("fncast-partition", ""))

    @property
    def refused_at(self) -> datetime | None:
        """None if the record has no timestamp, or one beyond the year 9999."""
        if self.record.timestamp_ms < 0:
            return None
        try:
            return EPOCH + timedelta(milliseconds=self.record.timestamp_ms)
        except OverflowError:
            return None

    def attributes(self) -> Mapping[str, Any]:
        """The event's attributes; for a record that is not an event, those in its headers."""
        try:
            return read_event(self.headers, self.record.value).attributes
        except InvalidEvent:
            named = {name[3:]: value for name, value in self.headers if name.startswith("ce_") and value}
            return {name: value.decode("utf-8", "replace") for name, value in named.items()}


def is_topic_name(name: str) -> bool:
    """Whether Kafka accepts this name."""
    return bool(_TOPIC.fullmatch(name))


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


@dataclass(frozen=True)
class Filter:
    """Which letters to read. reason: a part of the reason, case ignored. since: rejected at this time or later.
    place: this letter only, as PARTITION/OFFSET.
    """

    reason: str = ""
    destination: str = ""
    since: datetime | None = None
    place: str = ""

    def __contains__(self, letter: DeadLetter) -> bool:
        if self.place and letter.place != self.place:
            return False
        if self.since is not None and (letter.refused_at is None or letter.refused_at < self.since):
            return False
        if self.reason.casefold() not in letter.reason.casefold():
            return False
        return not self.destination or letter.attributes().get("destination") == self.destination

    def name(self, since: str = "") -> str:
        """Identifies this filter: each has its own progress. since: as the user wrote it, because `2h` is relative."""
        if self == Filter():
            return "all"
        parts = (self.reason, self.destination, since) + ((self.place,) if self.place else ())
        return sha256(repr(parts).encode()).hexdigest()[:12]


class DeadLetterTopic:
    """Reads a topic of dead letters, and the progress of replays."""

    def __init__(self, client_properties: Mapping[str, str], topic: str, group_id: str) -> None:
        """group_id: the group of `committed` and `metadata`. Raises ConsumerError."""
        self.topic = topic
        self._servers = client_properties["bootstrap.servers"]
        self._last_error: KafkaError | None = None  # of a connection
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

    def partitions(self, topic: str | None = None) -> list[int]:
        """The topic's partitions. Raises UnknownTopic; ConsumerError if the broker does not answer."""
        name = topic or self.topic
        if not is_topic_name(name):
            raise UnknownTopic(f"there is no topic {clean(name, MAX_HEADER)!r}: Kafka allows no such name")
        with map_kafka_errors(self._unreachable):
            found = self._consumer.list_topics(name, ANSWER_S).topics[name]
        if found.error is not None:
            raise UnknownTopic(f"there is no topic {name!r}: {describe(found.error)}")
        return sorted(found.partitions)

    def committed(self) -> dict[int, int]:
        """By partition the group's next offset, if it has one."""
        partitions = [TopicPartition(self.topic, partition) for partition in self.partitions()]
        with map_kafka_errors(failing_as("the offsets of earlier replays cannot be read")):
            return {
                p.partition: p.offset for p in self._consumer.committed(partitions, ANSWER_S) if p.offset >= 0
            }

    def read(self, start: Mapping[int, int] | None = None, only: int | None = None) -> Iterator[DeadLetter]:
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
                    raise ConsumerError(f"reading {self.topic!r} failed: {describe(error)}")
            if time.monotonic() - heard_s > ANSWER_S:
                raise ConsumerError(f"Kafka does not answer while reading {self.topic!r}")

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
