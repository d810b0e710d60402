"""The reader on a broker: where it begins, what it leaves alone, and that it outlives what it reads from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from fncast.dashboard import reader as reader_module
from fncast.dashboard.reader import InvalidProperties, TopicReader
from fncast.dashboard.record import ReceivedRecord

PATIENCE_S = 30.0


def eventually(condition: Callable[[], Any]) -> Any:
    """The first true value of `condition`. Fails after PATIENCE_S."""
    end = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
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


def test_reads_all_from_the_beginning(broker: Any, start: Callable[..., TopicReader]) -> None:
    broker.publish("t", b"a", headers=[("h", b"\xff"), ("h", b"2"), ("none", None)], timestamp=1_500)
    record = take(start("t"), 1)[0]
    assert (record.topic, record.partition, record.offset, record.value) == ("t", 0, 0, b"a")
    assert record.timestamp_s == 1.5
    assert record.headers == [("h", b"\xff"), ("h", b"2"), ("none", None)]


def test_begins_at_the_end_less_some_history_and_tells_it_from_what_is_live(
    broker: Any, start: Callable[..., TopicReader]
) -> None:
    for number in range(10):
        broker.publish("t", str(number).encode())
    reader = start("t", history=3)
    history = take(reader, 3)
    broker.publish("t", b"10")
    live = take(reader, 1)
    assert [(one.value, one.live) for one in history + live] == [
        (b"7", False),
        (b"8", False),
        (b"9", False),
        (b"10", True),
    ]


def test_waits_for_topics_without_making_them(broker: Any, start: Callable[..., TopicReader]) -> None:
    reader = start("later", history=0)
    eventually(lambda: reader.state.missing)
    assert reader.state.missing == (("later", "does not exist yet"),)
    assert "later" not in AdminClient({"bootstrap.servers": broker.address}).list_topics(timeout=10).topics
    broker.publish("later", b"first")
    assert take(reader, 1)[0].value == b"first"  # a topic that appears is new from its first record on
    eventually(lambda: not reader.state.missing)


def test_says_that_the_broker_is_away_and_goes_on_when_it_is_back(
    broker: Any, start: Callable[..., TopicReader]
) -> None:
    broker.publish("t", b"before")
    reader = start("t")
    assert take(reader, 1)[0].value == b"before"
    since_s = reader.state.since_s
    broker.pause()
    eventually(lambda: reader.state.connected is False)
    assert reader.state.problem
    assert reader.state.since_s > since_s
    broker.wake()
    broker.publish("t", b"after")
    assert take(reader, 1)[0].value == b"after"
    eventually(lambda: reader.state.connected is True)
    assert reader.state.problem == ""


class Deaf:
    """A client that does not find its way to the broker any more."""

    def __init__(self, client: Any) -> None:
        self.position, self.close = client.position, client.close

    def consume(self, *_: Any) -> list[Any]:
        return []

    def list_topics(self, **_: Any) -> None:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))


def test_a_client_that_lost_its_way_gives_way_to_another(
    broker: Any, start: Callable[..., TopicReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "RENEW_S", 0.5)
    broker.publish("t", b"before", partition=0)
    broker.publish("t", b"long ago", partition=1)
    reader = start("t", history=1)
    take(reader, 2)
    reader._consumer = Deaf(reader._consumer)  # type: ignore[assignment]
    eventually(lambda: reader.state.connected is False)
    broker.publish("t", b"after", partition=0)
    assert [record.value for record in take(reader, 1)] == [b"after"]
    assert reader.state.connected is True


def test_two_renewals_in_one_outage_keep_the_positions(
    broker: Any, start: Callable[..., TopicReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "RENEW_S", 0.3)
    for number in range(5):
        broker.publish("t", b"%d" % number, partition=0)
        broker.publish("t", b"%d" % number, partition=1)
    reader = start("t", history=4)
    take(reader, 8)
    clients: list[Any] = []
    make = reader._make
    monkeypatch.setattr(reader, "_make", lambda: clients.append(make()) or clients[-1])
    broker.pause()
    eventually(lambda: len(clients) >= 3)
    broker.wake()
    broker.publish("t", b"after", partition=0)
    records = take(reader, 1)
    broker.publish("t", b"last", partition=1)
    records += take(reader, 1)
    assert [record.value for record in records] == [b"after", b"last"]


def test_an_unexpected_error_is_shown_and_reading_goes_on(
    broker: Any,
    start: Callable[..., TopicReader],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(reader_module, "RESTART_S", (0.3,))
    broker.publish("t", b"before")
    reader = start("t")
    assert take(reader, 1)[0].value == b"before"
    failing = True

    def fail(timeout_s: float) -> bool:
        if failing:
            raise RuntimeError("a fault of ours")
        return TopicReader._read(reader, timeout_s)

    monkeypatch.setattr(reader, "_read", fail)
    eventually(lambda: "a fault of ours" in reader.state.problem)
    assert reader.state.connected is False
    assert "Reading failed" in caplog.text
    failing = False
    broker.publish("t", b"after")
    assert [record.value for record in take(reader, 1)] == [b"after"]
    eventually(lambda: reader.state.connected is True)


def test_waits_for_a_broker_that_is_not_there() -> None:
    reader = TopicReader({"bootstrap.servers": "127.0.0.1:1"}, ["t"], 0)
    reader.start()
    try:
        eventually(lambda: reader.state.connected is False)
        assert reader.take() == []
    finally:
        began_s = time.monotonic()
        reader.close()
        assert time.monotonic() - began_s < 5


def test_skips_what_it_cannot_keep_up_with_and_counts_it(
    broker: Any, start: Callable[..., TopicReader]
) -> None:
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


def test_a_wrong_property_is_named() -> None:
    with pytest.raises(InvalidProperties, match=r"no\.such\.property"):
        TopicReader({"bootstrap.servers": "127.0.0.1:1", "no.such.property": "1"}, ["t"], 0)
