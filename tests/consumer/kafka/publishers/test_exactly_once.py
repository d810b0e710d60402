"""ExactlyOnce: transactions whose calls fail or never end."""

from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError

from consumer.errors import NotPublished, OutcomeUnknown
from consumer.kafka.publishers.exactly_once import ExactlyOnce
from tests.consumer.kafka.publishers.transaction_clients import ABORTABLE, FENCED, OFFSETS, TIMED_OUT


@pytest.mark.guarantee("a call of Kafka's client that never ends is given to a new producer")
@pytest.mark.parametrize("hangs", ["send_offsets_to_transaction", "commit_transaction"])
def test_a_call_that_never_ends_replaces_the_producer(clients_of, hangs, impatient):
    make, clients = clients_of
    make.hangs = hangs
    publisher = ExactlyOnce({}, "murmur2_random", "one")
    with impatient(), pytest.raises(OutcomeUnknown, match="no broker answered in time"):
        publisher.commit({("metrics", 0): 1}, "metadata")
    assert clients[0].purged
    assert len(clients) == 2
    assert publisher.ready()
    publisher.commit({("metrics", 0): 1}, "metadata")


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
