"""Replays whose end is not what was hoped for."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import ClusterMetadata, TopicMetadata

import consumer.kafka.dead_letters
from consumer.errors import (
    AccessDenied,
    ConsumerError,
    NotPublished,
    OutcomeUnknown,
    RecordRefused,
    RecordTooLarge,
)
from consumer.kafka.dead_letter_replay import MAX_FAILURES, Replay
from consumer.kafka.dead_letters import DeadLetterTopic, Filter, StoredDeadLetter
from interceptor.delivery import Record, UnreadableRecord


class Letters:
    topic = "dead"

    def __init__(self, *records: Record) -> None:
        self.records = records

    def committed(self) -> dict[int, int]:
        return {}

    def metadata(self) -> None: ...

    def partitions(self, topic: str) -> list[int]:
        return [0]

    def read(self, start: Any) -> Any:
        yield from map(StoredDeadLetter, self.records)


class FakeMessage:
    """A message of the topic `dead` without headers, key and value."""

    def __init__(self, partition: int, offset: int) -> None:
        self._partition, self._offset = partition, offset

    def topic(self) -> str:
        return "dead"

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return (0, 0)

    def value(self) -> bytes:
        return b""

    def error(self) -> None: ...

    def headers(self) -> None: ...

    def key(self) -> None: ...


class Refusing:
    """Kafka's client where a consumer refuses each letter again as soon as it is replayed: each read finds more."""

    PARTITIONS = (0, 1)

    def __init__(self, *_: Any) -> None:
        self.next = dict.fromkeys(self.PARTITIONS, 0)

    def list_topics(self, topic: str, *_: Any) -> Any:
        found = TopicMetadata()
        found.partitions = dict.fromkeys(self.PARTITIONS)
        metadata = ClusterMetadata()
        metadata.topics = {topic: found}
        return metadata

    def get_watermark_offsets(self, of: TopicPartition, *_: Any) -> tuple[int, int]:
        return 0, 3

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned = [partition.partition for partition in partitions]

    def pause(self, partitions: list[TopicPartition]) -> None: ...

    def consume(self, *_: Any) -> list[Any]:
        read = []
        for partition in self.assigned:
            assert self.next[partition] < 100, "it never ends"
            read.append(FakeMessage(partition, self.next[partition]))
            self.next[partition] += 1
        return read


@pytest.mark.guarantee("a replay ends with the letters that were there when it began")
def test_what_is_refused_again_meanwhile_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer.kafka.dead_letters, "Consumer", Refusing)
    read = [letter.record for letter in DeadLetterTopic({"bootstrap.servers": "b"}, "dead", "group").read()]
    assert sorted((record.partition, record.offset) for record in read) == [
        (p, o) for p in (0, 1) for o in (0, 1, 2)
    ]


def test_a_letter_is_looked_for_in_its_own_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer.kafka.dead_letters, "Consumer", Refusing)
    read = [
        letter.record for letter in DeadLetterTopic({"bootstrap.servers": "b"}, "dead", "group").read(only=1)
    ]
    assert {record.partition for record in read} == {1}


class Publisher:
    """end: the error of each commit. refused: keys of the records that the broker refuses."""

    def __init__(self, end: Exception | None = None, refused: dict[bytes, Exception] | None = None) -> None:
        self.end = end
        self.refused = refused or {}
        self.published: list[Any] = []
        self.committed: list[Any] = []
        self.starts = 0

    def ready(self) -> bool:
        self.starts += 1
        return True

    def publish(self, *record: Any) -> None:
        if error := self.refused.get(record[2]):
            raise error
        self.published.append(record)

    def commit(self, offsets: Any, *_: Any) -> None:
        if self.end:
            raise self.end
        self.committed += self.published
        self.published = []
        self.offsets = offsets

    def abort(self) -> None:
        self.published = []


@pytest.mark.guarantee("a replay with an unknown outcome is reported")
@pytest.mark.parametrize(
    ("end", "says"),
    [
        (
            OutcomeUnknown("gone"),
            "is not known whether the last letters were replayed. Start the replay again: gone",
        ),
        (NotPublished("no"), "were not replayed"),
    ],
)
def test_a_failed_commit_is_an_error(end: Exception, says: str) -> None:
    letters: Any = Letters(Record("dead", 0, 0, 0, b"k", b"v", []))
    publisher: Any = Publisher(end)
    with pytest.raises(ConsumerError, match=says):
        Replay(letters, publisher, Filter(), "metrics").run()
    # With an unknown outcome, the next replay's start settles how the transaction ended.
    assert publisher.starts == (1 if isinstance(end, OutcomeUnknown) else MAX_FAILURES)


def test_a_letter_whose_headers_cannot_be_read_stays() -> None:
    letters: Any = Letters(UnreadableRecord("dead", 0, 0, 0, b"k", b"v", []))
    publisher: Any = Publisher()
    assert Replay(letters, publisher, Filter(), "metrics").run() == 0
    assert publisher.published == []


def letters_of(*keys: bytes, topic: bytes = b"metrics") -> Any:
    added = [("fncast-reason", b"no"), ("fncast-topic", topic)]
    return Letters(*(Record("dead", 0, at, 0, key, b"v", added) for at, key in enumerate(keys)))


@pytest.mark.parametrize("error", [RecordRefused("no key"), RecordTooLarge("too large")])
def test_a_letter_that_its_topic_refuses_is_named_and_the_others_are_replayed(error: Exception) -> None:
    publisher: Any = Publisher(refused={b"b": error, b"d": error})
    replay = Replay(letters_of(b"a", b"b", b"c", b"d", b"e"), publisher, Filter(), "metrics")
    assert replay.run() == 3
    assert [record[2] for record in publisher.committed] == [b"a", b"c", b"e"]
    assert publisher.offsets == {("dead", 0): 5}
    assert (replay.left, replay.left_because) == (2, [f"0/1: {error}", f"0/3: {error}"])


def test_a_preview_names_the_letters_that_would_be_left() -> None:
    letters: Any = letters_of(b"a", b"b")
    letters.records += (UnreadableRecord("dead", 0, 2, 0, b"c", b"v", []),)
    publisher: Any = Publisher()
    publisher.fits = lambda topic, key, value, headers: key != b"b"
    found = list(Replay(letters, publisher, Filter(), "metrics").preview())
    assert [letter.place for letter, _ in found] == ["0/0", "0/1", "0/2"]
    assert found[0][1] == ""
    assert found[1][1] == "it is larger than the topic 'metrics' allows"
    assert found[2][1].startswith("its topic cannot be read")
    assert publisher.published == []


def test_the_letters_of_a_topic_that_this_login_may_not_use_are_named_and_the_others_are_replayed() -> None:
    letters: Any = letters_of(b"a", b"b")
    letters.records += letters_of(b"c", topic=b"secret").records
    publisher: Any = Publisher()

    def commit(*arguments: Any) -> None:
        if any(record[0] == "secret" for record in publisher.published):
            raise AccessDenied("the broker does not let this login use 'secret'", frozenset({"secret"}))
        Publisher.commit(publisher, *arguments)

    publisher.commit = commit
    replay = Replay(letters, publisher, Filter(), "metrics")
    assert replay.run() == 2
    assert replay.left_because == ["0/0: the broker does not let this login use 'secret'"]


def test_access_that_no_letter_needs_ends_the_replay() -> None:
    publisher: Any = Publisher(AccessDenied("the broker does not let this login use the group"))
    with pytest.raises(AccessDenied):
        Replay(letters_of(b"a"), publisher, Filter(), "metrics").run()
