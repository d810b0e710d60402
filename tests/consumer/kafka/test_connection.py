"""Connection: a client that has lost its connection, and a cluster that is down."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.kafka import connection
from consumer.kafka.connection import Connection

DOWN = KafkaError(KafkaError._ALL_BROKERS_DOWN)


class Client:
    def __init__(self, answers: bool) -> None:
        self.answers = answers
        self.queries = 0

    def list_topics(self, *, timeout: float) -> None:
        self.queries += 1
        if not self.answers:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Client:
    """What a new client finds."""
    second = Client(True)
    monkeypatch.setattr(connection, "AdminClient", lambda _: second)
    return second


def test_a_client_without_errors_is_not_checked(cluster: Client, clock: list[float]) -> None:
    client, tracked = Client(False), Connection({})
    tracked.on_error(KafkaError(KafkaError._TRANSPORT))
    clock[0] = 1000.0
    assert not tracked.is_lost(client)
    assert client.queries == 0


def test_a_client_is_lost_if_another_client_reaches_the_cluster(cluster: Client, clock: list[float]) -> None:
    client, tracked = Client(False), Connection({})
    tracked.on_error(DOWN)
    assert not tracked.is_lost(client)
    clock[0] = connection.DOWN_S - 0.1
    tracked.on_error(DOWN)  # the time counts from the first error
    assert not tracked.is_lost(client)
    assert client.queries == 0
    clock[0] = connection.DOWN_S
    assert tracked.is_lost(client)


def test_while_the_cluster_is_away_it_is_checked_from_time_to_time(
    cluster: Client, clock: list[float]
) -> None:
    client, tracked = Client(False), Connection({})
    cluster.answers = False
    tracked.on_error(DOWN)
    for clock[0] in range(int(connection.DOWN_S), 60):
        assert not tracked.is_lost(client)
    assert client.queries == cluster.queries == (60 - connection.DOWN_S) / connection.LOOK_S
    cluster.answers = True
    clock[0] = 60.0
    assert tracked.is_lost(client)


def test_a_client_that_is_connected_again_is_not_checked_any_more(
    cluster: Client, clock: list[float]
) -> None:
    client, tracked = Client(True), Connection({})
    tracked.on_error(DOWN)
    for clock[0] in range(60):
        assert not tracked.is_lost(client)
    assert client.queries == 1
    tracked.on_error(DOWN)
    clock[0] += connection.DOWN_S
    client.answers = False
    assert tracked.is_lost(client)


def test_the_drivers_clients_have_the_call_that_the_check_makes() -> None:
    from confluent_kafka import Consumer, Producer

    nowhere: dict[str, Any] = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}
    for client in (Producer(nowhere), Consumer(nowhere | {"group.id": "one"})):
        with pytest.raises(KafkaException):
            client.list_topics(timeout=0.01)
