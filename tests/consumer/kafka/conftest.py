"""Shared by the tests of the Kafka adapters: an embedded broker, and a publisher whose clients fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from consumer.kafka import timeouts
from consumer.kafka.embedded import EmbeddedBroker
from consumer.kafka.publishers import base_producer, exactly_once
from consumer.kafka.publishers.exactly_once import ExactlyOnce
from tests.consumer.kafka.publishers.transaction_clients import Client


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker()
    yield broker
    broker.close()


@pytest.fixture
def clients_of(monkeypatch):
    """The factory and the clients that it has created. The first hangs in the call `make.hangs`."""
    clients = []

    def make(kind, properties, **_):
        clients.append(Client(make.hangs if not clients else "", properties["on_delivery"]))
        return clients[-1]

    monkeypatch.setattr(base_producer, "create_client", make)
    return make, clients


@pytest.fixture
def publisher(clients_of):
    make, clients = clients_of
    make.hangs = ""
    publisher = ExactlyOnce({}, "murmur2_random", "one")
    assert publisher.ready()
    publisher.publish("forecasts", 0, None, b"1", [])
    return publisher, clients


@pytest.fixture
def impatient(monkeypatch) -> Callable[[], AbstractContextManager[None]]:
    """Within it, a transactional producer waits 0.02 s for a call that never ends."""

    @contextmanager
    def wait_shortly() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(exactly_once, "CALL_S", 0.01)
            patch.setattr(timeouts, "LATE_S", 0.01)
            yield

    return wait_shortly
