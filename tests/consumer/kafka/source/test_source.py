"""The adapter over Kafka's consumer, on the embedded broker."""

from __future__ import annotations

import time

import pytest
from confluent_kafka import KafkaError, Producer

from consumer.errors import CommitFailed
from consumer.kafka.errors import create_client
from consumer.kafka.source.source import KafkaSource
from tests.consumer.broker_contract.contract_broker import read

JOIN_S = 30


def test_a_new_client_takes_over_where_the_old_one_got_no_partitions(broker):
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    producer.produce("metrics", b"1")
    assert producer.flush(10) == 0
    source = KafkaSource({"bootstrap.servers": broker.bootstrap_servers}, "group")
    assigned, given_back = [], []
    source.subscribe(["metrics"], assigned.append, given_back.append, given_back.append)

    assert not source.is_member
    assert len(read(source, 1)) == 1
    assert source.is_member
    commit = source.commit({("metrics", 0): 0})
    source.replace_client()
    with pytest.raises(CommitFailed):
        commit.result(0)
    assert len(read(source, 1)) == 1  # nothing was committed: from the beginning
    assert len(assigned) == 2
    assert given_back == []  # the old client reports nothing any more
    source.close()


def test_a_partition_is_at_its_end_once_kafka_has_no_more_records(broker):
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    for value in (b"0", b"1"):
        producer.produce("metrics", value, partition=0)
    assert producer.flush(10) == 0
    source = KafkaSource({"bootstrap.servers": broker.bootstrap_servers}, "group")
    source.subscribe(["metrics"], *[lambda _: None] * 3)
    place, records = ("metrics", 0), []
    deadline_s = time.monotonic() + JOIN_S
    while len(records) < 2 and time.monotonic() < deadline_s:
        records += source.poll(1, 0.2)
        assert not source.is_at_end(place, 0)
    while not source.is_at_end(place, 1) and time.monotonic() < deadline_s:
        source.poll(1, 0.2)
    assert source.is_at_end(place, 1)
    assert not source.is_at_end(place, 2)
    source.read_from_start([place])
    assert not source.is_at_end(place, 1)
    source.close()


@pytest.fixture
def report_error(monkeypatch):
    """report_error(error): what the client of the newest source reports by its `error_cb`."""
    callbacks = []

    def create(kind, properties, **options):
        callbacks.append(properties["error_cb"])
        return create_client(kind, properties, **options)

    monkeypatch.setattr("consumer.kafka.source.source.create_client", create)
    return lambda error: callbacks[-1](error)


def test_an_answer_to_the_old_client_does_not_complete_a_commit_of_the_new_one(monkeypatch):
    """The old client is closed in the background, and may still get answers."""
    answered = []

    def create(kind, properties, **options):
        answered.append(properties["on_commit"])
        return create_client(kind, properties, **options)

    monkeypatch.setattr("consumer.kafka.source.source.create_client", create)
    source = KafkaSource({"bootstrap.servers": "127.0.0.1:9"}, "group")
    source.replace_client()
    of_old, of_new = answered
    commit = source.commit({("metrics", 0): 1})
    of_old(None, [])
    assert not commit.done()
    of_new(None, [])
    assert commit.done()
    source.close()


def test_a_broker_that_is_down_is_logged_once(report_error, caplog):
    source = KafkaSource({"bootstrap.servers": "127.0.0.1:9"}, "group")
    rejected = "b:9092/1: Connect to ipv4#127.0.0.1:9092 failed: Connection refused"
    for took in (
        "(after 0ms in state CONNECT)",
        "(after 106ms in state CONNECT, 1 identical error(s) suppressed)",
    ):
        report_error(KafkaError(KafkaError._TRANSPORT, f"{rejected} {took}"))
    assert [entry.getMessage() for entry in caplog.records] == [
        "Kafka: the broker b:9092 cannot be reached: connection refused; waiting for it"
    ]
    source.clear_problem()
    report_error(KafkaError(KafkaError._TRANSPORT, f"{rejected} (after 3ms in state CONNECT)"))
    assert len(caplog.records) == 2
    source.close()
