"""What operators see of the state topic, on the embedded broker, which does not know the members of groups."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from consumer.errors import ConsumerError
from consumer.kafka.embedded import EmbeddedBroker
from consumer.state import inspection
from consumer.state.inspection import StateTopic
from consumer.state.keys import full_key, marker_key
from interceptor.assembly.snapshot import HEAD
from tests.consumer.kafka.fake_admin import answered

Write = Callable[[bytes, bytes | None], None]
PARTITION = ("telegraf", 0)


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker()
    yield broker
    broker.close()


@pytest.fixture
def topic() -> str:
    return f"state-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def state(broker: EmbeddedBroker, topic: str) -> StateTopic:
    return StateTopic({"bootstrap.servers": broker.bootstrap_servers}, topic, "group")


@pytest.fixture
def write(broker: EmbeddedBroker, topic: str) -> Write:
    """write(key, value) writes a record to partition 0 of the state topic."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "log_level": 0})

    def write(key: bytes, value: bytes | None) -> None:
        producer.produce(topic, value, key, 0)
        assert producer.flush(20) == 0

    return write


def test_a_snapshot_of_windows_shows_its_version_offset_and_series(state: StateTopic, write: Write) -> None:
    head = msgspec.msgpack.encode([3, 120, "shape", 7])
    key = full_key("group", PARTITION, "assemble", HEAD)
    write(key, head)
    (summary,) = state.summaries()
    assert (summary.topic, summary.partition, summary.interceptor) == (*PARTITION, "assemble")
    assert (summary.version, summary.offset, summary.series) == (3, 120, 7)
    assert (summary.records, summary.bytes) == (1, len(key) + len(head))
    assert summary.newest_ms > 0


@pytest.mark.parametrize(
    "head",
    [b"", b"not msgpack", msgspec.msgpack.encode([3]), msgspec.msgpack.encode({"a": 1}), b"\x91" * 100_000],
)
def test_a_snapshot_that_cannot_be_read_is_shown_without_its_offset(
    state: StateTopic, write: Write, head: bytes
) -> None:
    write(full_key("group", PARTITION, "assemble", HEAD), head)
    (summary,) = state.summaries()
    assert (summary.version, summary.offset, summary.series) == (None, None, None)
    assert summary.records == 1


def test_only_the_newest_record_of_a_key_counts_and_a_deleted_key_does_not(
    state: StateTopic, write: Write
) -> None:
    for value in (b"1", b"22", b"333"):
        write(full_key("group", PARTITION, "sums", b"a"), value)
    write(full_key("group", PARTITION, "sums", b"b"), b"1")
    write(full_key("group", PARTITION, "sums", b"b"), None)
    (summary,) = state.summaries()
    assert summary.records == 1
    assert summary.bytes == len(full_key("group", PARTITION, "sums", b"a")) + 3


def test_partitions_and_interceptors_are_sorted_and_other_records_are_left_out(
    state: StateTopic, write: Write
) -> None:
    for partition, owner in ((1, "sums"), (0, "sums"), (0, "assemble")):
        write(full_key("group", ("telegraf", partition), owner, b"a"), b"1")
    write(marker_key("group", PARTITION), b"{}")
    write(full_key("another", PARTITION, "averages", b"a"), b"1")
    write(b"not a key of fncast", b"1")
    found = [(summary.partition, summary.interceptor) for summary in state.summaries()]
    assert found == [(0, "assemble"), (0, "sums"), (1, "sums")]


def test_a_state_topic_that_is_missing_is_named(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "RETRY_S", 0.0)
    state = StateTopic({"bootstrap.servers": broker.bootstrap_servers}, "nowhere", "group")
    with pytest.raises(
        ConsumerError, match=r"the topic 'nowhere' does not exist\. `fncast consume` creates it"
    ):
        state.summaries()


def test_a_broker_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "TRIES", 1)
    monkeypatch.setattr("consumer.state.reader.ANSWER_S", 0.2)
    state = StateTopic({"bootstrap.servers": "127.0.0.1:9"}, "state", "group")
    with pytest.raises(ConsumerError, match=r"the state topic 'state' at 127\.0\.0\.1:9 cannot be read"):
        state.summaries()


def group_without_members(_: AdminClient, groups: list[str], request_timeout: float) -> dict[str, Any]:
    """In place of `describe_consumer_groups`, which the embedded broker does not know."""
    return {group: answered(Mock(members=[])) for group in groups}


def test_a_replay_of_an_input_that_cannot_be_read_deletes_nothing(
    state: StateTopic, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "RETRY_S", 0.0)
    monkeypatch.setattr(AdminClient, "describe_consumer_groups", group_without_members)
    write(full_key("group", ("gone", 99), "sums", b"a"), b"1")
    with pytest.raises(ConsumerError, match=r"the topic 'gone' at .* cannot be read"):
        state.reset([], is_replayed=True)
    assert len(state.summaries()) == 1


def test_while_the_members_of_the_group_are_unknown_no_state_is_deleted(
    state: StateTopic, write: Write
) -> None:
    write(full_key("group", PARTITION, "sums", b"a"), b"1")
    with pytest.raises(ConsumerError, match=r"the members of the group 'group' at .* are not known"):
        state.reset([], is_replayed=False)
    assert len(state.summaries()) == 1


def test_more_state_than_the_client_can_queue_is_deleted(
    broker: EmbeddedBroker, topic: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AdminClient, "describe_consumer_groups", group_without_members)
    for number in range(20):
        write(full_key("group", PARTITION, "sums", b"%d" % number), b"1")
    client = {"bootstrap.servers": broker.bootstrap_servers, "queue.buffering.max.messages": "2"}
    state = StateTopic(client, topic, "group")
    assert state.reset([], is_replayed=False) == [PARTITION]
    assert state.summaries() == []


def test_a_record_that_the_client_rejects_is_an_error_that_says_what_to_do(
    broker: EmbeddedBroker, topic: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AdminClient, "describe_consumer_groups", group_without_members)
    write(full_key("group", PARTITION, "sums", b"a" * 2000), b"1")
    client = {"bootstrap.servers": broker.bootstrap_servers, "message.max.bytes": "1000"}
    with pytest.raises(ConsumerError, match=r"the state was not deleted completely: .*\. Reset it again"):
        StateTopic(client, topic, "group").reset([], is_replayed=False)
