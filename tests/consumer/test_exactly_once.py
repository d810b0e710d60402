"""Transactions whose calls the client does not end."""

import logging
import threading

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer import call, exactly_once
from consumer.call import ended_within
from consumer.connection import Connection
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
    monkeypatch.setattr(call, "LATE_S", 0.01)

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
        ended_within(5, refused)


class Leaderless:
    """Leftovers on topics that were just made: they have no leader the first times."""

    def __init__(self, failures: int) -> None:
        self._failures = failures

    def names(self, _) -> list[str]:
        return []

    def end(self, *_) -> None:
        self._failures -= 1
        if self._failures >= 0:
            raise KafkaException(KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION))


def started(publisher: ExactlyOnce, tries: int) -> None:
    assert not any(publisher.start() for _ in range(tries))
    assert publisher.start()


def test_topics_that_are_being_made_are_no_warning_at_the_start(made, caplog):
    make, clients = made
    make.hangs = ""
    caplog.set_level("INFO")
    started(ExactlyOnce({}, "murmur2_random", "one", Leaderless(2)), 2)
    ((name, level, told),) = caplog.record_tuples
    assert (name, level) == ("fncast.kafka", logging.INFO)
    assert "a new producer takes over from one that cannot go on" in told
    assert len(clients) == 3


def test_a_start_that_takes_long_is_one(made, caplog, monkeypatch):
    make, _ = made
    make.hangs = ""
    monkeypatch.setattr(exactly_once, "TOLD_AFTER_S", 0.0)
    started(ExactlyOnce({}, "murmur2_random", "one", Leaderless(3)), 3)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_producer_that_has_published_and_one_that_is_fenced_are_one(made, caplog):
    make, _ = made
    make.hangs = "commit_transaction"
    publisher = ExactlyOnce({}, "murmur2_random", "one")
    publisher.start()
    with pytest.raises(OutcomeUnknown):
        publisher.finish({("metrics", 0): 1}, "metadata")
    publisher._renew(KafkaError(KafkaError._FENCED, "by another"))
    told = [record.levelno for record in caplog.records if "takes over" in record.message]
    assert told == [logging.WARNING] * 2


def test_a_producer_that_does_not_find_its_way_back_gives_way_to_another(made, monkeypatch):
    make, clients = made
    make.hangs = ""
    publisher = ExactlyOnce({}, "murmur2_random", "one")
    monkeypatch.setattr(Connection, "is_lost", lambda _, client: client is clients[0])
    assert publisher.start()
    assert len(clients) == 2
