"""The Kafka client of a reader."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError

log = logging.getLogger(__name__)


class InvalidProperties(ValueError):
    """librdkafka rejects the client properties. The message names the property."""


class DebugLog:
    """Sends librdkafka's log to our debug log. What users need to know is in the state."""

    def log(self, level: int, text: str, *arguments: object) -> None:
        log.debug(text, *arguments)


def reader_properties(
    client_properties: Mapping[str, str], on_error: Callable[[KafkaError], None]
) -> dict[str, Any]:
    """Return the properties of a client that joins no group. on_error: gets librdkafka's errors."""
    return {
        **client_properties,
        # librdkafka requires a group id. Without a subscription or commits, no group is created.
        "group.id": f"fncast-reader-{uuid.uuid4()}",
        "enable.auto.commit": "false",
        "enable.auto.offset.store": "false",
        # Applies when a topic was created again, or when retention removed records before they were read.
        "auto.offset.reset": "earliest",
        "allow.auto.create.topics": "false",
        "queued.max.messages.kbytes": "16384",
        "error_cb": on_error,
    }


def create_consumer(properties: Mapping[str, Any]) -> Consumer:
    """Create a client. Raises KafkaException if librdkafka rejects the properties."""
    return Consumer(dict(properties), logger=DebugLog())
