"""ExactlyOnce: transactions whose calls fail or never end."""

import logging
import threading
from collections.abc import Callable
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.errors import ConsumerError, NotPublished, OutcomeUnknown
from consumer.kafka import base_producer, exactly_once, timeouts
from consumer.kafka.connection import Connection
from consumer.kafka.exactly_once import ExactlyOnce
from consumer.kafka.fencing import MAX_FENCED


class Client:
    """A producer in which one call never ends, or others fail."""

    def __init__(self, hangs: str, on_delivery: Callable[[KafkaError, Mock], None]) -> None:
        self._hangs = hangs
        self.on_delivery = on_delivery
        self.fails: dict[str, KafkaError] = {}
        self.calls: list[str] = []
        self.purged = False

    def __getattr__(self, name):
        def call(*_, **__):
            self.calls.append(name)
            if name == self._hangs:
                threading.Event().wait()
            if name in self.fails:
                raise KafkaException(self.fails[name])

        return call

    def purge(self):
        self.purged = True


@pytest.fixture
def clients_of(monkeypatch):
    """The factory and the clients that it has created. The first hangs in the call `make.hangs`."""
    clients = []
    monkeypatch.setattr(exactly_once, "CALL_S", 0.01)
    monkeypatch.setattr(timeouts, "LATE_S", 0.01)

    def make(kind, properties, **_):
        clients.append(Client(make.hangs if not clients else "", properties["on_delivery"]))
        return clients[-1]

    monkeypatch.setattr(base_producer, "create_client", make)
    return make, clients


@pytest.mark.guarantee("a call of Kafka's client that never ends is given to a new producer")
@pytest.mark.parametrize("hangs", ["send_offsets_to_transaction", "commit_transaction"])
def test_a_call_that_never_ends_replaces_the_producer(clients_of, hangs):
    make, clients = clients_of
    make.hangs = hangs
    publisher = ExactlyOnce({}, "murmur2_random", "one")
    with pytest.raises(OutcomeUnknown, match="no broker answered in time"):
        publisher.commit({("metrics", 0): 1}, "metadata")
    assert clients[0].purged
    assert len(clients) == 2
    assert publisher.ready()
    publisher.commit({("metrics", 0): 1}, "metadata")


def test_replacements_for_different_reasons_are_logged_as_warnings(clients_of, caplog):
    make, clients = clients_of
    make.hangs = "commit_transaction"
    publisher = ExactlyOnce({}, "murmur2_random", "one")
    publisher.ready()
    with pytest.raises(OutcomeUnknown):
        publisher.commit({("metrics", 0): 1}, "metadata")
    clients[1].fails["init_transactions"] = KafkaError(KafkaError._FENCED, "by another")
    assert not publisher.ready()
    levels = [record.levelno for record in caplog.records if "replacing a producer" in record.message]
    assert levels == [logging.WARNING] * 2


@pytest.mark.guarantee("a producer that no longer finds its cluster is replaced")
def test_a_producer_that_has_lost_its_connection_is_replaced(clients_of, monkeypatch):
    make, clients = clients_of
    make.hangs = ""
    publisher = ExactlyOnce({}, "murmur2_random", "one")
    monkeypatch.setattr(Connection, "is_lost", lambda _, client: client is clients[0])
    assert publisher.ready()
    assert len(clients) == 2


OFFSETS = {("metrics", 0): 1}
ABORTABLE = KafkaError(KafkaError._TIMED_OUT, "abortable", txn_requires_abort=True)
TIMED_OUT = KafkaError(KafkaError._TIMED_OUT, "timed out", retriable=True)
FENCED = KafkaError(KafkaError._FENCED, "fenced", fatal=True)


@pytest.fixture
def publisher(clients_of):
    make, clients = clients_of
    make.hangs = ""
    publisher = ExactlyOnce({}, "murmur2_random", "one")
    assert publisher.ready()
    publisher.publish("forecasts", 0, None, b"1", [])
    return publisher, clients


@pytest.mark.parametrize("call", ["send_offsets_to_transaction", "commit_transaction"])
def test_an_abortable_error_aborts_and_keeps_the_producer(publisher, call):
    publisher, clients = publisher
    clients[0].fails[call] = ABORTABLE
    with pytest.raises(NotPublished, match="no broker answered in time"):
        publisher.commit(OFFSETS, "metadata")
    assert clients[0].calls[-1] == "abort_transaction"
    clients[0].fails.clear()
    publisher.publish("forecasts", 0, None, b"1", [])
    publisher.commit(OFFSETS, "metadata")
    assert len(clients) == 1


def test_the_reason_of_a_failed_record_is_reported_instead_of_that_of_the_commit(publisher):
    publisher, clients = publisher
    clients[0].fails["commit_transaction"] = ABORTABLE
    clients[0].on_delivery(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), Mock())
    with pytest.raises(NotPublished, match="the topic or partition does not exist"):
        publisher.commit(OFFSETS, "metadata")


def test_reports_about_dropped_records_are_ignored(publisher):
    publisher, clients = publisher
    clients[0].fails["commit_transaction"] = ABORTABLE
    clients[0].on_delivery(KafkaError(KafkaError._PURGE_QUEUE), Mock())
    with pytest.raises(NotPublished, match="no broker answered in time"):
        publisher.commit(OFFSETS, "metadata")


def test_reports_of_a_replaced_producer_are_ignored(publisher):
    publisher, clients = publisher
    clients[0].fails["commit_transaction"] = FENCED
    with pytest.raises(OutcomeUnknown):
        publisher.commit(OFFSETS, "metadata")
    assert publisher.ready()
    clients[1].fails["commit_transaction"] = ABORTABLE
    for client, reason in ((clients[0], "no broker answered in time"), (clients[1], "too large")):
        publisher.publish("forecasts", 0, None, b"1", [])
        client.on_delivery(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), Mock())
        with pytest.raises(NotPublished, match=reason):
            publisher.commit(OFFSETS, "metadata")


@pytest.mark.parametrize(
    "error", [KafkaException(FENCED), SystemError("a callback returned with an error set")]
)
def test_a_fatal_error_that_a_callback_raises_does_not_end_the_consumer(publisher, monkeypatch, error):
    publisher, _ = publisher
    monkeypatch.setattr(Client, "poll", Mock(side_effect=error), raising=False)
    publisher.abort()
    assert publisher.ready()


@pytest.mark.parametrize("call", ["send_offsets_to_transaction", "commit_transaction"])
@pytest.mark.parametrize("error", [TIMED_OUT, FENCED], ids=str)
def test_another_error_replaces_the_producer_and_the_committed_offsets_decide(publisher, call, error):
    publisher, clients = publisher
    clients[0].fails[call] = error
    with pytest.raises(OutcomeUnknown):
        publisher.commit(OFFSETS, "metadata")
    assert clients[0].purged
    assert "init_transactions" not in clients[1].calls
    assert publisher.ready()
    assert clients[1].calls == ["poll", "init_transactions"]


def test_a_commit_whose_abort_fails_may_have_been_done(publisher):
    """librdkafka may report an abortable error after it has sent the commit."""
    publisher, clients = publisher
    clients[0].fails |= {"commit_transaction": ABORTABLE, "abort_transaction": FENCED}
    with pytest.raises(OutcomeUnknown):
        publisher.commit(OFFSETS, "metadata")
    assert len(clients) == 2


def test_a_missing_topic_replaces_the_producer(publisher):
    """A client remembers for a while that a topic is not there."""
    publisher, clients = publisher
    clients[0].fails["produce"] = KafkaError(KafkaError._UNKNOWN_TOPIC)
    with pytest.raises(NotPublished):
        publisher.publish("forecasts", 0, None, b"2", [])
    assert clients[0].calls[-1] == "abort_transaction"
    assert len(clients) == 2


def fence(publisher, clients) -> None:
    clients[-1].fails["commit_transaction"] = FENCED
    assert publisher.ready()
    with pytest.raises(OutcomeUnknown):
        publisher.commit(OFFSETS, "metadata")


def test_repeated_fencing_means_a_shared_identity(publisher):
    publisher, clients = publisher
    for _ in range(MAX_FENCED):
        fence(publisher, clients)
    with pytest.raises(ConsumerError, match="give each its own"):
        fence(publisher, clients)


def test_a_transaction_that_the_broker_let_time_out_says_nothing_about_the_identity(publisher, monkeypatch):
    publisher, clients = publisher
    monkeypatch.setattr(exactly_once, "TRANSACTION_TIMEOUT_MS", 0)
    for _ in range(MAX_FENCED + 2):
        fence(publisher, clients)
