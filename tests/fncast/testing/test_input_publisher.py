"""The inputs of a test as records."""

import json

import pytest

from consumer.kafka.embedded import EmbeddedBroker
from consumer.settings import KafkaSettings
from fncast.testing.input_publisher import InputPublisher, as_record
from fncast.testing.records import InputRecord


def test_an_event_is_a_record_in_structured_mode_with_its_partition_key() -> None:
    record = as_record({"subject": "cpu", "partitionkey": "a"})
    assert (record.key, record.headers) == (b"a", [("content-type", b"application/cloudevents+json")])
    event = json.loads(record.value or b"")
    assert event["subject"] == "cpu"
    assert {"specversion", "id", "source", "type"} <= event.keys()


def test_an_event_without_a_partition_key_has_no_key() -> None:
    assert as_record({"subject": "cpu"}).key is None


@pytest.mark.parametrize("record", [InputRecord(b"x", key=b"k", topic="other"), InputRecord(None)])
def test_a_record_stays_as_it_is(record: InputRecord) -> None:
    assert as_record(record) is record


def test_bytes_are_a_record_without_headers() -> None:
    assert as_record(b"bytes") == InputRecord(b"bytes")


def test_the_place_of_each_published_input_is_returned() -> None:
    broker = EmbeddedBroker()
    try:
        publisher = InputPublisher(
            KafkaSettings(bootstrap_servers=broker.bootstrap_servers, input_topics=("a", "b"))
        )
        inputs = [
            InputRecord(b"1", partition=0),
            InputRecord(b"2", partition=0, topic="b"),
            {"partitionkey": "k"},
        ]
        places = publisher.publish(inputs, 30.0)
    finally:
        broker.close()
    assert {("a", 0, 0), ("b", 0, 0)} <= set(places)
    assert len(places) == 3
