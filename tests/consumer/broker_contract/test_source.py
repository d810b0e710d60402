"""The contract of a source: what it reads of a broker, and what it commits there."""

from __future__ import annotations

from collections.abc import Callable

from consumer.kafka.source.source import KafkaSource
from tests.consumer.broker_contract.contract_broker import (
    HEADERS,
    PARTITIONS,
    WAIT_S,
    WRITTEN_MS,
    Broker,
    read,
)
from tests.waiting import eventually


def test_a_record_is_read_as_it_was_written(broker: Broker, source_of: Callable[[str], KafkaSource]) -> None:
    topic = broker.topic("metrics")
    broker.produce(topic, (2, b"value"), (2, None))
    first, second = read(source_of(topic), 2)
    assert (first.topic, first.partition, first.offset, first.key, first.value) == (
        topic,
        2,
        0,
        b"key",
        b"value",
    )
    assert (second.offset, second.value) == (1, None)
    assert [*first.headers] == HEADERS
    assert first.timestamp_ms == WRITTEN_MS


def test_a_partition_is_read_in_order_and_the_next_source_continues_at_the_committed_offset(
    broker: Broker, source_of: Callable[[str], KafkaSource]
) -> None:
    topic = broker.topic("metrics")
    broker.produce(topic, *((number % PARTITIONS, b"%d" % number) for number in range(40)))
    source = source_of(topic)
    records = read(source, 40)
    for partition in range(PARTITIONS):
        assert [r.offset for r in records if r.partition == partition] == list(range(10))
    commit = source.commit({(topic, partition): 7 for partition in range(PARTITIONS)})

    def has_answer() -> bool:
        source.poll(1, 0.1)
        return commit.done()

    eventually(has_answer, WAIT_S, "an answer to the commit")
    commit.result()
    assert source.committed([(topic, 0)], WAIT_S) == {(topic, 0): 7}
    source.close()
    rest = read(source_of(topic), 12)
    assert sorted((r.partition, r.offset) for r in rest) == [
        (p, o) for p in range(PARTITIONS) for o in (7, 8, 9)
    ]


def test_a_paused_partition_is_read_after_it_is_resumed(
    broker: Broker, source_of: Callable[[str], KafkaSource]
) -> None:
    topic = broker.topic("metrics")
    broker.produce(topic, *((partition, b"first") for partition in range(PARTITIONS)))
    source = source_of(topic)
    read(source, PARTITIONS)
    source.pause([(topic, 0)])
    broker.produce(topic, *((partition, b"second") for partition in range(PARTITIONS)))
    assert 0 not in {record.partition for record in read(source, PARTITIONS - 1)}
    source.resume([(topic, 0)])
    assert [(record.partition, record.value) for record in read(source, 1)] == [(0, b"second")]
