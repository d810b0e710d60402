"""Reading a topic of dead letters, without a broker."""

from __future__ import annotations

from typing import Any, NamedTuple
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AclOperation, ClusterMetadata, TopicMetadata

from consumer.errors import ConsumerError
from consumer.kafka.dead_letters import topic as dead_letter_topic
from consumer.kafka.dead_letters.topic import DeadLetterTopic, UnknownTopic, is_topic_name
from tests.consumer.kafka.fake_admin import answered
from tests.fake_clock import FakeClock


class Description(NamedTuple):
    authorized_operations: list[AclOperation]
    partitions: tuple[int, ...] = (0, 1)


def failure(code: int) -> KafkaException:
    return KafkaException(KafkaError(code))


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


class Rejecting:
    """Kafka's client where a consumer rejects each letter again as soon as it is replayed: each read finds more."""

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
def test_letters_that_arrive_while_reading_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letter_topic, "Consumer", Rejecting)
    read = [letter.record for letter in DeadLetterTopic({"bootstrap.servers": "b"}, "dead", "group").read()]
    assert sorted((record.partition, record.offset) for record in read) == [
        (p, o) for p in (0, 1) for o in (0, 1, 2)
    ]


def test_a_reader_that_takes_its_time_reads_all_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """For example a pager, which blocks the output until the user turns the page."""
    clock = FakeClock()
    monkeypatch.setattr(dead_letter_topic.time, "monotonic", clock)
    monkeypatch.setattr(dead_letter_topic, "Consumer", Rejecting)
    read = 0
    for _ in DeadLetterTopic({"bootstrap.servers": "b"}, "dead", "group").read():
        read += 1
        clock.now_s += 60
    assert read == 6


def test_a_letter_is_looked_for_in_its_own_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letter_topic, "Consumer", Rejecting)
    read = [
        letter.record for letter in DeadLetterTopic({"bootstrap.servers": "b"}, "dead", "group").read(only=1)
    ]
    assert {record.partition for record in read} == {1}


def test_an_unreachable_broker_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letter_topic, "ANSWER_S", 0.3)
    letters = DeadLetterTopic({"bootstrap.servers": "127.0.0.1:1"}, "dead", "g")
    with pytest.raises(
        ConsumerError,
        match=r"no Kafka answers at 127\.0\.0\.1:1: the broker 127\.0\.0\.1:1 cannot be reached: connection refused",
    ):
        letters.partitions()
    letters.close()


@pytest.mark.parametrize(
    ("name", "is_valid"), [("metrics", True), ("", False), ("..", False), ("a b", False)]
)
def test_only_names_that_kafka_allows_are_names_of_topics(name: str, is_valid: bool) -> None:
    assert is_topic_name(name) is is_valid


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Description([AclOperation.DESCRIBE, AclOperation.WRITE]), ""),
        (Description([]), ""),  # a broker that does not report operations
        (Description([AclOperation.DESCRIBE]), "does not let this login write to the topic 'metrics'"),
        (failure(KafkaError.TOPIC_AUTHORIZATION_FAILED), "does not let this login use the topic 'metrics'"),
        (failure(KafkaError.UNKNOWN_TOPIC_OR_PART), "there is no topic 'metrics'"),
    ],
)
def test_a_topic_that_letters_cannot_be_written_to_says_why(
    monkeypatch: pytest.MonkeyPatch, answer: Any, says: str
) -> None:
    admin = Mock(describe_topics=lambda *_, **__: {"metrics": answered(answer)})
    monkeypatch.setattr(dead_letter_topic, "AdminClient", lambda _: admin)
    monkeypatch.setattr(dead_letter_topic, "Consumer", Rejecting)
    letters = DeadLetterTopic({"bootstrap.servers": "b"}, "dead", "group")
    if not says:
        assert letters.partitions_to_write("metrics") == 2
        return
    with pytest.raises(UnknownTopic, match=says):
        letters.partitions_to_write("metrics")
