"""AtLeastOnce: a client whose records the broker does not acknowledge."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.errors import NotPublished
from consumer.kafka.connection import Connection
from consumer.kafka.publishers import at_least_once, base_producer
from consumer.kafka.publishers.at_least_once import AtLeastOnce


class Client:
    """A producer with `waiting` records; `acknowledged` of them at each flush."""

    def __init__(self, waiting: int = 0, acknowledged: int = 0, broker_is_up: bool = True) -> None:
        self.waiting, self._acknowledged, self._broker_is_up = waiting, acknowledged, broker_is_up
        self.queries = 0
        self.purged = False

    def __len__(self) -> int:
        return self.waiting

    def flush(self, _: float) -> int:
        self.waiting = max(0, self.waiting - self._acknowledged)
        return self.waiting

    def poll(self, _: float) -> int:
        return 0

    def list_topics(self, timeout: float) -> None:
        self.queries += 1
        if self.queries == 3:  # the broker and the client work again
            self._acknowledged = 1
        if not self._broker_is_up:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    def purge(self) -> None:
        self.purged = True


@pytest.fixture
def publisher_with(monkeypatch):
    """publisher_with(client, ...): a publisher with these clients one after the other, and plain ones after them."""

    def build(*clients: Client) -> AtLeastOnce:
        left = iter(clients)
        monkeypatch.setattr(base_producer, "create_client", lambda *_, **__: next(left, Client()))
        return AtLeastOnce({}, "murmur2_random")

    monkeypatch.setattr(at_least_once, "STUCK_S", 0.0)
    return build


@pytest.mark.guarantee("a client without acknowledgements for 30 s is replaced (at-least-once)")
def test_a_client_that_is_stuck_is_replaced(publisher_with):
    stuck = Client(waiting=20)
    publisher = publisher_with(stuck)
    with pytest.raises(NotPublished, match="a new producer takes over: the broker acknowledged nothing"):
        publisher.commit({("metrics", 0): 1}, None)
    assert stuck.purged
    publisher.commit({("metrics", 0): 1}, None)


def test_a_client_that_has_lost_its_connection_is_replaced(publisher_with, monkeypatch):
    monkeypatch.setattr(at_least_once, "STUCK_S", 60.0)
    monkeypatch.setattr(Connection, "is_lost", lambda _, client: client is lost)
    lost = Client(waiting=20, broker_is_up=False)
    publisher = publisher_with(lost)
    assert publisher.ready()  # what it holds is waited for
    with pytest.raises(NotPublished, match="has lost its connection"):
        publisher.commit({("metrics", 0): 1}, None)
    assert lost.purged
    publisher.commit({("metrics", 0): 1}, None)


def test_an_idle_client_that_has_lost_its_connection_is_replaced(publisher_with, monkeypatch):
    monkeypatch.setattr(Connection, "is_lost", lambda _, client: client is lost)
    lost, new = Client(broker_is_up=False), Client(waiting=1, acknowledged=1)
    publisher = publisher_with(lost, new)
    assert publisher.ready()
    publisher.commit({("metrics", 0): 1}, None)
    assert new.waiting == 0


def test_a_slow_client_is_waited_for(publisher_with):
    slow = Client(waiting=20, acknowledged=1)
    publisher_with(slow).commit({("metrics", 0): 1}, None)
    assert slow.waiting == 0
    assert not slow.queries


def test_a_broker_that_is_away_is_waited_for(publisher_with):
    client = Client(waiting=20, broker_is_up=False)
    publisher_with(client).commit({("metrics", 0): 1}, None)
    assert client.queries == 3
    assert not client.purged
