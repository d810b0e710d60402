"""TransactionalProducer: when a new producer takes over, and what it says about the identity."""

import logging
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.errors import AccessDenied, ConsumerError, OutcomeUnknown
from consumer.kafka.connection import Connection
from consumer.kafka.publishers import transactional_producer
from consumer.kafka.publishers.exactly_once import ExactlyOnce
from consumer.kafka.publishers.fencing import MAX_FENCED
from tests.consumer.kafka.publishers.transaction_clients import FENCED, OFFSETS, Client


def test_replacements_for_different_reasons_are_logged_as_warnings(clients_of, caplog, impatient):
    make, clients = clients_of
    make.hangs = "commit_transaction"
    publisher = ExactlyOnce({}, "murmur2_random", "one")
    publisher.ready()
    with impatient(), pytest.raises(OutcomeUnknown):
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


@pytest.mark.parametrize(
    "error", [KafkaException(FENCED), SystemError("a callback returned with an error set")]
)
def test_a_fatal_error_that_a_callback_raises_does_not_end_the_consumer(publisher, monkeypatch, error):
    publisher, _ = publisher
    monkeypatch.setattr(Client, "poll", Mock(side_effect=error), raising=False)
    publisher.abort()
    assert publisher.ready()


def test_a_denied_transactional_id_is_named(clients_of):
    make, clients = clients_of
    make.hangs = ""
    publisher = ExactlyOnce({}, "murmur2_random", "one")
    denied = KafkaError(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "denied", fatal=True)
    clients[0].fails["init_transactions"] = denied
    with pytest.raises(AccessDenied, match="does not let this login use the transactional id 'one'"):
        publisher.ready()


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


def test_fencing_after_a_time_out_does_not_count_as_a_shared_identity(publisher, monkeypatch):
    publisher, clients = publisher
    monkeypatch.setattr(transactional_producer, "TRANSACTION_TIMEOUT_MS", 0)
    for _ in range(MAX_FENCED + 2):
        fence(publisher, clients)
