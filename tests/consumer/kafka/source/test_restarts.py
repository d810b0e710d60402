"""Partitions that start again at another offset, on the embedded broker."""

from __future__ import annotations

import logging
import time
from unittest.mock import Mock

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from prometheus_client import REGISTRY

from consumer.kafka.source.restarts import Restarts
from consumer.kafka.source.source import KafkaSource
from tests.consumer.broker_contract.contract_broker import read

JOIN_S = 30


def test_an_offset_that_kafka_does_not_have_is_logged_once_and_reading_continues(broker, caplog):
    """The embedded broker drops the oldest records beyond 5 MB."""
    client = {"bootstrap.servers": broker.bootstrap_servers}
    producer = Producer(client)
    for _ in range(100):
        producer.produce("metrics", bytes(100_000), partition=0)
    producer.produce("metrics", b"one", partition=1)
    producer.produce("metrics", b"two", partition=2)
    assert producer.flush(20) == 0
    earlier = Consumer({**client, "group.id": "group"})
    committed = [TopicPartition("metrics", 0, 10), TopicPartition("metrics", 1, 5000)]
    earlier.commit(offsets=committed, asynchronous=False)
    earlier.close()
    source = KafkaSource(client, "group")
    source.subscribe(["metrics"], list, list, list)
    first: dict[int, int] = {}
    began_s = time.monotonic()

    def read_all():
        first.clear()
        deadline_s = time.monotonic() + JOIN_S
        while len(first) < 3 and time.monotonic() < deadline_s:
            for found in source.poll(100, 0.2):
                first.setdefault(found.partition, found.offset)

    read_all()
    low = first[0]
    assert low > 10
    assert first == {0: low, 1: 0, 2: 0}
    deleted, beyond = sorted(caplog.messages)  # partition 2, which has no committed offset, is not logged
    assert deleted.startswith(
        f"metrics/0: {low - 10} records are lost: Kafka has deleted offsets 10 to {low - 1} before they were read."
        f" Reading continues at offset {low}."
    )
    assert beyond.startswith("metrics/1: the group's offset 5000 is beyond the end of the partition, 1: ")
    assert source.was_reset(("metrics", 1), began_s)
    assert not source.was_reset(("metrics", 1), time.monotonic())
    assert not source.was_reset(("metrics", 0), began_s)  # its records were deleted: it is the same topic
    assert REGISTRY.get_sample_value("fncast_lost_records_total", {"topic": "metrics"}) == low - 10
    source.read_from_start([("metrics", 0), ("metrics", 1), ("metrics", 2)])
    read_all()
    assert first == {0: low, 1: 0, 2: 0}
    source.read_from_start([("metrics", 17)])  # was revoked meanwhile
    source.close()


def test_a_partition_that_has_grown_since_its_offset_was_beyond_its_end_is_reset_too(caplog):
    """Its topic was created again and quickly written."""
    client = Mock()
    client.get_watermark_offsets.return_value = (0, 150)
    client.assignment.return_value = []
    restarts = Restarts(lambda: client, is_eager=False)
    began_s = time.monotonic()
    restarts.add_out_of_range(Mock(topic=lambda: "metrics", partition=lambda: 3, offset=lambda: 100))
    restarts.reset_offsets()
    assert restarts.was_reset(("metrics", 3), began_s)
    assert caplog.messages[0].startswith(
        "metrics/3: the group's offset 100 was beyond the end of the partition, which is 150 now: the topic was"
    )


def test_a_topic_whose_partitions_are_all_beyond_their_end_gets_one_warning(broker, caplog):
    caplog.set_level(logging.INFO)
    client = {"bootstrap.servers": broker.bootstrap_servers}
    producer = Producer(client)
    for partition in range(3):
        producer.produce("metrics", b"one", partition=partition)
    assert producer.flush(20) == 0
    earlier = Consumer({**client, "group.id": "group"})
    earlier.commit(
        offsets=[TopicPartition("metrics", number, 5000) for number in range(3)], asynchronous=False
    )
    earlier.close()
    source = KafkaSource(client, "group")
    source.subscribe(["metrics"], list, list, list)
    found = read(source, 3)
    source.close()
    assert sorted((record.partition, record.offset) for record in found) == [(0, 0), (1, 0), (2, 0)]
    beyond = [record.levelname for record in caplog.records if "beyond the end" in record.getMessage()]
    assert beyond == ["WARNING", "INFO", "INFO"]


def test_a_group_with_an_eager_strategy_reads_from_the_first_record_too(broker):
    client = {"bootstrap.servers": broker.bootstrap_servers}
    producer = Producer(client)
    producer.produce("metrics", b"1", partition=0)
    producer.produce("metrics", b"2", partition=1)
    assert producer.flush(10) == 0
    source = KafkaSource(client | {"partition.assignment.strategy": "range"}, "eager")
    source.subscribe(["metrics"], list, list, list)
    assert sorted(record.value for record in read(source, 2)) == [b"1", b"2"]
    source.read_from_start([("metrics", 0)])
    source.read_from_start([("metrics", 0)])  # the client has no position of the other partition now
    assert [record.value for record in read(source, 1)] == [b"1"]
    assert source.poll(10, 0.5) == []
    source.close()


def test_a_restart_that_the_client_rejects_halfway_is_tried_again(broker, monkeypatch, caplog):
    caplog.set_level("INFO")
    client = {"bootstrap.servers": broker.bootstrap_servers}
    producer = Producer(client)
    producer.produce("metrics", b"1", partition=0)
    assert producer.flush(10) == 0

    class Rejecting(Consumer):
        """A client that fails to assign a partition this many times."""

        rejections_left = 0

        def incremental_assign(self, places: list[TopicPartition]) -> None:
            if Rejecting.rejections_left:
                Rejecting.rejections_left -= 1
                raise KafkaException(KafkaError(KafkaError._STATE))
            super().incremental_assign(places)

    monkeypatch.setattr("consumer.kafka.source.source.Consumer", Rejecting)
    source = KafkaSource(client, "group")
    source.subscribe(["metrics"], list, list, list)

    assert [record.value for record in read(source, 1)] == [b"1"]

    Rejecting.rejections_left = 3
    source.read_from_start([("metrics", 0)])
    assert [record.value for record in read(source, 1)] == [b"1"]
    assert Rejecting.rejections_left == 0
    assert sum("cannot be read from" in line for line in caplog.messages) == 1
    source.close()
