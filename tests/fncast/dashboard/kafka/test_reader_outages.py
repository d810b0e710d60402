"""The reader survives outages of the broker, disconnected clients and unexpected errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException

from fncast.dashboard.kafka import reader as reader_module
from fncast.dashboard.kafka import reader_client
from fncast.dashboard.kafka.reader import TopicReader
from fncast.dashboard.kafka.reader_client import create_consumer
from tests.fncast.dashboard.kafka.reading import take
from tests.waiting import eventually


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


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit])
def test_reading_continues_after_an_unexpected_error(
    kind: type[BaseException],
    broker: Any,
    start: Callable[..., TopicReader],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    failing = False

    class Failing(Consumer):
        def consume(self, *arguments: Any, **named: Any) -> Any:
            if failing:
                raise kind("an \x1b[2Jinternal error")
            return super().consume(*arguments, **named)

    monkeypatch.setattr(reader_client, "Consumer", Failing)
    monkeypatch.setattr(reader_module, "RESTART_S", (0.3,))
    broker.publish("t", b"before")
    reader = start("t")
    assert take(reader, 1)[0].value == b"before"
    failing = True
    eventually(lambda: "an \ufffdinternal error" in reader.state.problem)
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
