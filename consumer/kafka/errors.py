"""Turns confluent-kafka's exceptions into errors of the consumer: no other room sees the driver's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException

from consumer.errors import ConsumerError
from fncast.wording.kafka import describe, map_kafka_errors

__all__ = ["create_client", "error_text", "failing_as", "map_kafka_errors"]

Client = TypeVar("Client")


def failing_as(sentence: str) -> Callable[[KafkaError], Exception]:
    """For `map_kafka_errors`: a ConsumerError that begins with the sentence."""
    return lambda cause: ConsumerError(f"{sentence}: {describe(cause)}")


def create_client(kind: Callable[..., Client], properties: Mapping[str, Any], **options: Any) -> Client:
    """Create a client of confluent-kafka. Raises ConsumerError where it rejects the properties."""
    try:
        return kind(dict(properties), **options)
    except (KafkaException, ValueError, TypeError) as error:
        raise ConsumerError(f"Kafka's client refuses the settings: {error_text(error)}") from None


def error_text(error: Exception) -> str:
    """The reason that an exception of the driver gives, in one line."""
    cause = error.args[0] if error.args else error
    return describe(cause) if isinstance(cause, KafkaError) else str(cause)
