from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.lib import run as run_module
from benchmarks.lib.broker import PARTITIONS, Broker
from benchmarks.lib.programs import AT_LEAST, EXACTLY, FncastPipeline, RunTopics
from benchmarks.lib.run import Run
from consumer.kafka.embedded import EmbeddedBroker
from fncast.demo.process import ProcessFailed

COUNT = 20


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker()
    yield broker
    broker.close()


def drain(
    broker: EmbeddedBroker, delivery: str, name: str, folder: Path, forecasts: int, committed: bool
) -> None:
    """Wait for a pipeline that has published `forecasts` of COUNT forecasts. Raises ProcessFailed."""
    servers = broker.bootstrap_servers
    topics = RunTopics(name, f"{name}-in", f"{name}-out", f"{name}-dead")
    producer = Producer({"bootstrap.servers": servers})
    for topic, count in ((topics.input, COUNT), (topics.output, forecasts)):
        for _ in range(count):
            producer.produce(topic, b"{}", partition=0)
    producer.flush(10)
    if committed:
        consumer = Consumer({"bootstrap.servers": servers, "group.id": name})
        consumer.commit(offsets=[TopicPartition(topics.input, 0, COUNT)], asynchronous=False)
        consumer.close()
    run = Run(FncastPipeline(delivery, folder), Broker(servers, "embedded"), topics, PARTITIONS, folder)

    async def until_drained() -> None:
        await run.drain()
        await run.close()

    asyncio.run(until_drained())


@pytest.mark.parametrize(("delivery", "committed"), [(AT_LEAST, False), (EXACTLY, True)])
def test_a_pipeline_is_done_once_its_forecasts_can_be_read(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delivery: str, committed: bool
) -> None:
    """With at-least-once, offsets may be committed later. A transaction commits both together."""
    monkeypatch.setattr(run_module, "STALLED_S", 3.0)
    drain(broker, delivery, delivery, tmp_path, COUNT, committed)


@pytest.mark.parametrize("delivery", [AT_LEAST, EXACTLY])
def test_a_pipeline_that_stops_early_is_reported(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delivery: str
) -> None:
    monkeypatch.setattr(run_module, "STALLED_S", 1.0)
    with pytest.raises(ProcessFailed, match=f"of {COUNT} events"):
        drain(broker, delivery, f"half-{delivery}", tmp_path, COUNT // 2, committed=False)
