"""Which records of a topic are read, and what is said about a topic that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from consumer.kafka.embedded import EmbeddedBroker
from fncast.recognition.topic_sampler import SampleError, TopicSampler
from interceptor.delivery import Record


@pytest.fixture
def sampler() -> Iterator[TopicSampler]:
    """A sampler of a broker whose topic `readings` has 30 records in partition 0, then 5 in partition 1."""
    broker = EmbeddedBroker()
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "log_level": 0, "linger.ms": 0})
    for number in range(35):
        producer.produce("readings", b"%d" % number, partition=int(number >= 30), timestamp=number + 1)
    assert producer.flush(10) == 0
    sampler = TopicSampler({"bootstrap.servers": broker.bootstrap_servers})
    yield sampler
    sampler.close()
    broker.close()


def test_the_newest_records_come_from_all_partitions_evenly(sampler: TopicSampler) -> None:
    sample = sampler.sample("readings", limit=4)
    assert [record.value for record in sample.records] == [b"28", b"29", b"33", b"34"]
    assert (sample.total, sample.is_cut, sample.is_embedded) == (35, False, True)


def test_a_topic_that_does_not_exist_is_answered_with_those_that_do(sampler: TopicSampler) -> None:
    with pytest.raises(
        SampleError, match=r"^the topic reading does not exist on .* The topics are readings$"
    ):
        sampler.sample("reading")


def test_partitions_that_the_limit_left_out_are_read_if_there_are_too_few_records(
    sampler: TopicSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = sampler._read

    def only_markers_in_1(
        topic: str, starts: dict[int, int], end: dict[int, int], limit: int, deadline_s: float
    ) -> tuple[list[Record], bool]:
        return read(topic, {0: starts[0]}, {0: end[0]}, limit, deadline_s) if 0 in starts else ([], False)

    # Partition 1 has only the marker of a transaction. It is the smallest one, so its offset comes first.
    monkeypatch.setattr(sampler, "_offsets", lambda *_: ({0: 0, 1: 0}, {0: 30, 1: 1}))
    monkeypatch.setattr(sampler, "_read", only_markers_in_1)
    assert [record.value for record in sampler.sample("readings", limit=1).records] == [b"29"]


def test_the_newest_records_stay_if_reading_further_back_is_cut(
    sampler: TopicSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest, older = (
        [Record("readings", 0, offset, offset, None, b"%d" % offset, []) for offset in offsets]
        for offsets in ((8, 29), (3, 8))
    )
    reads = iter([(newest, False), (older, True)])
    monkeypatch.setattr(sampler, "_offsets", lambda *_: ({0: 0}, {0: 30}))
    monkeypatch.setattr(sampler, "_read", lambda *_: next(reads))
    sample = sampler.sample("readings", limit=25)
    assert ([record.offset for record in sample.records], sample.is_cut) == ([3, 8, 29], True)
