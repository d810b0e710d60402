from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.readings.progress import GroupProgress, wait_until_committed
from consumer.kafka.embedded import EmbeddedBroker
from fncast.demo.process import ProcessFailed


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    """A broker, on which the group `readers` has committed 3 records of two partitions of the topic `in`."""
    broker = EmbeddedBroker()
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    for partition in (0, 0, 1):
        producer.produce("in", b"{}", partition=partition)
    producer.flush(10)
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "readers"})
    consumer.commit(offsets=[TopicPartition("in", 0, 2), TopicPartition("in", 1, 1)], asynchronous=False)
    consumer.close()
    yield broker.bootstrap_servers
    broker.close()


def works() -> None: ...


async def test_records_of_all_partitions_are_counted(servers: str) -> None:
    with GroupProgress(servers, "readers", "in", works) as progress:
        _, committed = await progress.wait_for(3, within_s=5.0)
    assert committed == 3


async def test_records_that_are_not_read_in_time_are_reported(servers: str) -> None:
    with pytest.raises(ProcessFailed, match="3 of 4 records of in were read within"):
        await wait_until_committed(servers, "readers", "in", 4, works, within_s=0.1)


async def test_a_process_that_ends_ends_the_wait(servers: str) -> None:
    def fails() -> None:
        raise ProcessFailed("consumer ended by itself")

    with pytest.raises(ProcessFailed, match="ended by itself"):
        await wait_until_committed(servers, "readers", "in", 4, fails, within_s=60.0)
