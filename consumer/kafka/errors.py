"""Turns confluent-kafka's exceptions into errors of the consumer: no other room sees the driver's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from consumer.errors import ConsumerError
from fncast.wording.kafka import describe, map_kafka_errors

__all__ = ["create_client", "error_text", "failing_as", "map_kafka_errors", "reported_offset"]

Client = TypeVar("Client")


def failing_as(sentence: str) -> Callable[[KafkaError], Exception]:
    """For `map_kafka_errors`: a ConsumerError that begins with the sentence."""
    return lambda cause: ConsumerError(f"{sentence}: {describe(cause)}")


def create_client(kind: Callable[..., Client], properties: Mapping[str, Any], **options: Any) -> Client:
    """Create a client of confluent-kafka. Raises ConsumerError where it rejects the properties."""
    try:
        return kind(dict(properties), **options)
    except (KafkaException, ValueError, TypeError) as error:
        raise ConsumerError(f"Kafka's client rejects the settings: {error_text(error)}") from None


def reported_offset(partition: TopicPartition, answer: Future[Any]) -> int:
    """The offset in an answer to `list_offsets`. Raises KafkaException if there is none.

    While leaders move, librdkafka can answer without an error and without an offset.
    """
    offset = int(answer.result().offset)
    if offset < 0:
        missing = f"the broker has not reported the offsets of {partition.topic}/{partition.partition}"
        raise KafkaException(KafkaError(KafkaError.OFFSET_NOT_AVAILABLE, missing))
    return offset


def error_text(error: Exception) -> str:
    """The reason that an exception of the driver gives, in one line."""
    cause = error.args[0] if error.args else error
    return describe(cause) if isinstance(cause, KafkaError) else str(cause)
