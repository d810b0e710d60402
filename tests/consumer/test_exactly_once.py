"""Transactions whose calls the client does not end."""

import threading

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer import exactly_once
from consumer.errors import NotPublished, OutcomeUnknown
from consumer.exactly_once import ExactlyOnce


class Client:
    """A producer in which one call never ends."""

    def __init__(self, hangs: str) -> None:
        self._hangs = hangs
        self.purged = False

    def __getattr__(self, name):
        def call(*_):
            if name == self._hangs:
                threading.Event().wait()

        return call

    def purge(self):
        self.purged = True


@pytest.fixture
def made(monkeypatch):
    """The clients, in the order in which they are made; the first hangs where a test says."""
    clients = []
    monkeypatch.setattr(exactly_once, "CALL_S", 0.01)
    monkeypatch.setattr(exactly_once, "LATE_S", 0.01)

    def make(self):
        clients.append(Client(make.hangs if not clients else ""))
        return clients[-1]

    monkeypatch.setattr(ExactlyOnce, "_make", make)
    return make, clients


@pytest.mark.parametrize(
    ("hangs", "verdict"),
    [("send_offsets_to_transaction", NotPublished), ("commit_transaction", OutcomeUnknown)],
)
def test_a_call_that_never_ends_costs_a_producer_and_not_the_consumer(made, hangs, verdict):
    make, clients = made
    make.hangs = hangs
    publisher = ExactlyOnce({}, "murmur2_random", "one")
    with pytest.raises(verdict, match="does not end"):
        publisher.finish({("metrics", 0): 1}, "metadata")
    assert clients[0].purged
    assert len(clients) == 2
    assert publisher.start()
    publisher.finish({("metrics", 0): 1}, "metadata")


def test_what_a_call_raises_is_raised():
    def refused():
        raise KafkaException(KafkaError(KafkaError._FENCED, "fenced"))

    with pytest.raises(KafkaException, match="fenced"):
        exactly_once.ended_within(5, refused)
