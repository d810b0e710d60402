"""Errors of Kafka's client as errors of the consumer."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from consumer.errors import ConsumerError
from consumer.kafka.errors import create_client, failing_as, map_kafka_errors


def test_an_error_of_the_client_becomes_a_sentence() -> None:
    with (
        pytest.raises(ConsumerError, match=r"^reading failed: no broker answered in time"),
        map_kafka_errors(failing_as("reading failed")),
    ):
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))


@pytest.mark.parametrize("properties", [{"no.such.property": "1"}, {"batch.size": "large"}])
def test_a_property_that_the_client_rejects_is_named(properties: dict[str, str]) -> None:
    [name] = properties
    with pytest.raises(ConsumerError, match=rf"Kafka's client rejects the settings: .*{name}"):
        create_client(Producer, properties)
