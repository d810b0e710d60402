"""The reader with a broker: where it starts, and what it does not change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.kafka.reader import TopicReader
from fncast.dashboard.kafka.topic_ids import TopicIds
from tests.fncast.dashboard.kafka.reading import take
from tests.waiting import eventually


def test_reads_from_the_beginning(broker: Any, start: Callable[..., TopicReader]) -> None:
    broker.publish("t", b"a", headers=[("h", b"\xff"), ("h", b"2"), ("none", None)], timestamp=1_500)
    record = take(start("t"), 1)[0]
    assert (record.topic, record.partition, record.offset, record.value) == ("t", 0, 0, b"a")
    assert record.timestamp_s == 1.5
    assert record.headers == [("h", b"\xff"), ("h", b"2"), ("none", None)]


def test_starts_before_the_end_and_marks_live_records(broker: Any, start: Callable[..., TopicReader]) -> None:
    for number in range(10):
        broker.publish("t", str(number).encode())
    reader = start("t", history=3)
    history = take(reader, 3)
    broker.publish("t", b"10")
    live = take(reader, 1)
    assert [(record.value, record.is_live) for record in history + live] == [
        (b"7", False),
        (b"8", False),
        (b"9", False),
        (b"10", True),
    ]


def test_a_topic_that_was_created_again_is_read_from_its_beginning(
    broker: Any,
    start: Callable[..., TopicReader],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The mock broker cannot delete topics: the answer about their ids is replaced."""
    created_again: list[str] = []
    monkeypatch.setattr(
        TopicIds, "created_again", lambda self, now_s, topics: [created_again.pop()] if created_again else []
    )
    for value in (b"a", b"b"):
        broker.publish("t", value)
    reader = start("t", history=0)
    eventually(lambda: reader.state.connected)
    created_again.append("t")
    records = take(reader, 2)
    assert [(record.offset, record.value, record.is_live) for record in records] == [
        (0, b"a", True),
        (1, b"b", True),
    ]
    assert "topic t was deleted and created again" in caplog.text


def test_waits_for_topics_without_creating_them(broker: Any, start: Callable[..., TopicReader]) -> None:
    reader = start("later", history=0)
    eventually(lambda: reader.state.missing)
    assert reader.state.missing == (("later", "does not exist yet"),)
    assert "later" not in AdminClient({"bootstrap.servers": broker.address}).list_topics(timeout=10).topics
    broker.publish("later", b"first")
    assert take(reader, 1)[0].value == b"first"  # a new topic is read from its first record
    eventually(lambda: not reader.state.missing)


def test_skipped_records_are_counted(broker: Any, start: Callable[..., TopicReader]) -> None:
    producer = Producer(
        {"bootstrap.servers": broker.address, "linger.ms": 5, "queue.buffering.max.messages": 200_000}
    )
    for number in range(30_000):
        producer.produce("t", b"%d" % number, partition=0)
        producer.poll(0)
    assert producer.flush(30) == 0
    reader = start("t", history=None, max_lag=5_000)
    records: list[ReceivedRecord] = []
    eventually(lambda: records.extend(reader.take(0.1)) or reader.state.skipped > 0)
    broker.publish("t", b"last")
    eventually(lambda: records.extend(reader.take(0.1)) or records[-1].value == b"last")
    assert len(records) + reader.state.skipped == 30_001


def test_joins_no_group(broker: Any, start: Callable[..., TopicReader]) -> None:
    broker.publish("t", b"a")
    take(start("t"), 1)
    groups = (
        AdminClient({"bootstrap.servers": broker.address}).list_consumer_groups(request_timeout=10).result()
    )
    assert groups.valid == []
