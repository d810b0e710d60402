"""Which records of a topic are read, and the error for a topic that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, ClassVar

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec

from consumer.kafka.embedded import EmbeddedBroker
from fncast.recognition import topic_sampler
from fncast.recognition.topic_sampler import SampleError, TopicSampler


@pytest.fixture
def servers() -> Iterator[str]:
    """A broker whose topic `readings` has 30 records in partition 0, then 5 in partition 1."""
    broker = EmbeddedBroker()
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "log_level": 0, "linger.ms": 0})
    for number in range(35):
        producer.produce("readings", b"%d" % number, partition=int(number >= 30), timestamp=number + 1)
    assert producer.flush(10) == 0
    yield broker.bootstrap_servers
    broker.close()


@pytest.fixture
def sampler(servers: str) -> Iterator[TopicSampler]:
    sampler = TopicSampler({"bootstrap.servers": servers})
    yield sampler
    sampler.close()


def test_the_newest_records_come_from_all_partitions_evenly(sampler: TopicSampler) -> None:
    sample = sampler.sample("readings", limit=4)
    assert [record.value for record in sample.records] == [b"28", b"29", b"33", b"34"]
    assert (sample.total, sample.is_cut, sample.is_embedded) == (35, False, True)


def test_a_topic_that_does_not_exist_is_answered_with_those_that_do(sampler: TopicSampler) -> None:
    with pytest.raises(
        SampleError, match=r"^the topic reading does not exist on .* The topics are readings$"
    ):
        sampler.sample("reading")


class AdminClientWithMarkers(AdminClient):
    """Reports markers of transactions at the ends of partitions: offsets without records."""

    ends: ClassVar = {3: 1}  # by partition, the offset after the last marker

    def list_offsets(self, specs: Any, **options: Any) -> Any:
        answers = dict(super().list_offsets(specs, **options))
        for place, spec in specs.items():
            if place.partition in self.ends and spec is OffsetSpec.latest():
                answers[place] = Future()
                answers[place].set_result(ListOffsetsResultInfo(self.ends[place.partition], -1, -1))
        return answers


class ConsumerOfFew(Consumer):
    """Returns few records at once."""

    def consume(self, num_messages: int = 1, timeout: float = -1) -> Any:
        return super().consume(min(num_messages, 3), timeout)


def test_partitions_that_the_limit_left_out_are_read_if_there_are_too_few_records(
    servers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Partition 3 has only the marker of a transaction. It is the smallest one, so its offset comes first.
    monkeypatch.setattr(topic_sampler, "AdminClient", AdminClientWithMarkers)
    sampler = TopicSampler({"bootstrap.servers": servers})
    assert [record.value for record in sampler.sample("readings", limit=1).records] == [b"34"]
    sampler.close()


def test_the_newest_records_stay_if_reading_further_back_is_cut(
    servers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first read finds few records, because markers follow them. The second one stops at the limit of bytes.
    monkeypatch.setattr(AdminClientWithMarkers, "ends", {0: 42})
    monkeypatch.setattr(topic_sampler, "AdminClient", AdminClientWithMarkers)
    monkeypatch.setattr(topic_sampler, "Consumer", ConsumerOfFew)
    monkeypatch.setattr(topic_sampler, "MAX_BYTES", 40)
    sampler = TopicSampler({"bootstrap.servers": servers})
    sample = sampler.sample("readings", limit=30)
    assert sample.is_cut
    assert {b"28", b"29", b"33", b"34"} <= {record.value for record in sample.records}
    sampler.close()
