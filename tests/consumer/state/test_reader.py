"""Reading ranges of partitions on the embedded broker."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import OFFSET_INVALID, Producer
from confluent_kafka.admin import AdminClient

from consumer.kafka.embedded import EmbeddedBroker
from consumer.state import reader as reader_module
from consumer.state.reader import Reader, Unavailable
from tests.fake_clock import FakeClock


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker()
    yield broker
    broker.close()


@pytest.fixture
def topic(broker: EmbeddedBroker) -> str:
    """A topic with 1,200 records in its partition 0."""
    name = f"state-{uuid.uuid4().hex[:8]}"
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "log_level": 0})
    for number in range(1200):
        producer.produce(name, b"%d" % number, b"k", 0)
    assert producer.flush(20) == 0
    return name


@pytest.fixture
def reader(broker: EmbeddedBroker) -> Iterator[Reader]:
    reader = Reader({"bootstrap.servers": broker.bootstrap_servers}, "group")
    yield reader
    reader.close()


@pytest.mark.parametrize(("start", "end"), [(0, 1200), (3, 700), (1199, 1200), (5, 5), (1200, 1200), (9, 3)])
def test_a_range_is_read_in_order(reader, topic, start, end):
    chunks = list(reader.read((topic, 0), start, end))
    found = [int(message.value()) for chunk in chunks for message in chunk]
    assert found == list(range(start, end))


def test_the_end_of_a_partition_ends_a_range_that_is_longer(reader, topic):
    assert reader.bounds((topic, 0)) == (0, 1200)
    assert reader.bounds((topic, 1)) == (0, 0)


def test_a_caller_that_takes_its_time_gets_the_whole_range(reader, topic, monkeypatch):
    """For example an interceptor to which a chunk is replayed."""
    clock = FakeClock()
    monkeypatch.setattr(reader_module.time, "monotonic", clock)
    read = 0
    for chunk in reader.read((topic, 0), 0, 1200):
        read += len(chunk)
        clock.now_s += 60 if chunk else 0
    assert read == 1200


def test_a_second_range_has_no_records_of_the_first(reader, topic):
    chunks = reader.read((topic, 0), 0, 1200)
    next(chunks)
    chunks.close()
    found = [int(message.value()) for chunk in reader.read((topic, 0), 800, 810) for message in chunk]
    assert found == list(range(800, 810))


@pytest.mark.parametrize(("first", "end"), [(OFFSET_INVALID, 1200), (0, OFFSET_INVALID)])
def test_an_answer_without_an_offset_does_not_mean_an_empty_partition(reader, topic, monkeypatch, first, end):
    class Answer:
        def __init__(self, offset: int) -> None:
            self.offset = offset

        def result(self):
            return self

    answers = [first, end]

    def list_offsets(self, partitions, request_timeout):
        return {partition: Answer(answers.pop(0)) for partition in partitions}

    monkeypatch.setattr(AdminClient, "list_offsets", list_offsets)
    with pytest.raises(Unavailable, match=f"has not reported the offsets of {topic}/0"):
        reader.bounds((topic, 0))


def test_a_group_without_offsets_has_none(reader, topic):
    assert reader.committed((topic, 0)) < 0


def test_a_topic_that_is_missing_is_named(reader):
    with pytest.raises(Unavailable):
        reader.partitions_of("nowhere")


def test_a_broker_that_is_away_is_unavailable(monkeypatch):
    monkeypatch.setattr("consumer.state.reader.ANSWER_S", 0.2)
    away = Reader({"bootstrap.servers": "127.0.0.1:9"}, "group")
    for call in (
        lambda: away.partitions_of("x"),
        lambda: away.bounds(("x", 0)),
        lambda: away.committed(("x", 0)),
    ):
        with pytest.raises(Unavailable):
            call()
    away.close()
