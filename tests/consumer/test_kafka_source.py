"""The adapter over Kafka's consumer, on the embedded broker."""

from __future__ import annotations

import time

import pytest
from confluent_kafka import Producer

from consumer.embedded import EmbeddedBroker
from consumer.kafka_source import KafkaSource

JOIN_S = 30


@pytest.fixture
def broker():
    broker = EmbeddedBroker()
    yield broker
    broker.close()


def test_a_new_client_takes_over_where_the_old_one_got_no_partitions(broker):
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    producer.produce("metrics", b"1")
    assert producer.flush(10) == 0
    source = KafkaSource({"bootstrap.servers": broker.bootstrap_servers}, "group")
    assigned, given_back = [], []
    source.subscribe(["metrics"], assigned.append, given_back.append, given_back.append)

    def reads_one() -> bool:
        deadline_s = time.monotonic() + JOIN_S
        while time.monotonic() < deadline_s:
            if source.poll(10, 0.2):
                return True
        return False

    assert reads_one()
    source.renew()
    assert reads_one()  # nothing was committed: from the beginning
    assert len(assigned) == 2
    assert given_back == []  # what becomes of the old client is nobody's concern
    source.close()
