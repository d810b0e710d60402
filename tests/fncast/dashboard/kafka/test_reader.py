"""The reader with a broker: where it starts, what it does not change, and how it survives outages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.kafka import reader as reader_module
from fncast.dashboard.kafka import reader_client
from fncast.dashboard.kafka.reader import TopicReader
from fncast.dashboard.kafka.reader_client import create_consumer
from fncast.dashboard.kafka.topic_ids import TopicIds

PATIENCE_S = 30.0


def eventually(condition: Callable[[], Any]) -> Any:
    """The first true value of `condition`. Fails after PATIENCE_S."""
    end = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {PATIENCE_S:g} s"
        time.sleep(0.02)
    return value


def take(reader: TopicReader, count: int) -> list[ReceivedRecord]:
    """At least `count` records."""
    records: list[ReceivedRecord] = []
    eventually(lambda: records.extend(reader.take(0.1)) or len(records) >= count)
    return records


@pytest.fixture
def start(broker: Any) -> Iterator[Callable[..., TopicReader]]:
    readers: list[TopicReader] = []

    def begin(*topics: str, history: int | None = None, max_lag: int | None = None) -> TopicReader:
        reader = TopicReader({"bootstrap.servers": broker.address}, topics, history, max_lag)
        readers.append(reader)
        reader.start()
        return reader

    yield begin
    for reader in readers:
        reader.close()


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
    assert [(record.value, record.live) for record in history + live] == [
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
    assert [(record.offset, record.value, record.live) for record in records] == [
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


def test_reports_an_outage_and_continues_after_it(broker: Any, start: Callable[..., TopicReader]) -> None:
    broker.publish("t", b"before")
    reader = start("t")
    assert take(reader, 1)[0].value == b"before"
    since_s = reader.state.since_s
    broker.pause()
    eventually(lambda: reader.state.connected is False)
    assert reader.state.problem
    assert reader.state.since_s > since_s
    broker.resume()
    broker.publish("t", b"after")
    assert take(reader, 1)[0].value == b"after"
    eventually(lambda: reader.state.connected is True)
    assert reader.state.problem == ""


class CuttableClient:
    """A client that can be cut off from the broker."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.is_cut_off = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def consume(self, *arguments: Any) -> Any:
        return [] if self.is_cut_off else self._client.consume(*arguments)

    def list_topics(self, **options: Any) -> Any:
        if self.is_cut_off:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return self._client.list_topics(**options)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[CuttableClient]:
    """The clients that readers have created."""
    created: list[CuttableClient] = []

    def create(properties: Any) -> CuttableClient:
        created.append(CuttableClient(create_consumer(properties)))
        return created[-1]

    monkeypatch.setattr(reader_module, "create_consumer", create)
    return created


def test_a_disconnected_client_is_replaced(
    broker: Any,
    start: Callable[..., TopicReader],
    clients: list[CuttableClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader_module, "RENEW_S", 0.5)
    broker.publish("t", b"before", partition=0)
    broker.publish("t", b"long ago", partition=1)
    reader = start("t", history=1)
    take(reader, 2)
    clients[0].is_cut_off = True
    eventually(lambda: reader.state.connected is False)
    broker.publish("t", b"after", partition=0)
    assert [record.value for record in take(reader, 1)] == [b"after"]
    assert reader.state.connected is True


def test_replacing_the_client_twice_keeps_the_positions(
    broker: Any,
    start: Callable[..., TopicReader],
    clients: list[CuttableClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader_module, "RENEW_S", 0.3)
    for number in range(5):
        broker.publish("t", b"%d" % number, partition=0)
        broker.publish("t", b"%d" % number, partition=1)
    reader = start("t", history=4)
    take(reader, 8)
    broker.pause()
    with monkeypatch.context() as patch:
        patch.setattr("fncast.dashboard.kafka.offsets.REQUEST_TIMEOUT_S", 0.3)  # no request has an answer
        eventually(lambda: len(clients) >= 4)
    broker.resume()
    broker.publish("t", b"after", partition=0)
    records = take(reader, 1)
    broker.publish("t", b"last", partition=1)
    records += take(reader, 1)
    assert [record.value for record in records] == [b"after", b"last"]


def test_reading_continues_after_an_unexpected_error(
    broker: Any,
    start: Callable[..., TopicReader],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    failing = False

    class Failing(Consumer):
        def consume(self, *arguments: Any, **named: Any) -> Any:
            if failing:
                raise RuntimeError("an internal error")
            return super().consume(*arguments, **named)

    monkeypatch.setattr(reader_client, "Consumer", Failing)
    monkeypatch.setattr(reader_module, "RESTART_S", (0.3,))
    broker.publish("t", b"before")
    reader = start("t")
    assert take(reader, 1)[0].value == b"before"
    failing = True
    eventually(lambda: "an internal error" in reader.state.problem)
    assert reader.state.connected is False
    assert "Reading failed" in caplog.text
    failing = False
    broker.publish("t", b"after")
    assert [record.value for record in take(reader, 1)] == [b"after"]
    eventually(lambda: reader.state.connected is True)


def test_waits_for_a_broker_that_cannot_be_reached() -> None:
    reader = TopicReader({"bootstrap.servers": "127.0.0.1:1"}, ["t"], 0)
    reader.start()
    try:
        eventually(lambda: reader.state.connected is False)
        assert reader.take() == []
    finally:
        began_s = time.monotonic()
        reader.close()
        assert time.monotonic() - began_s < 5


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
