"""Converts messages of the Kafka driver to records."""

from __future__ import annotations

from confluent_kafka import Message

from consumer.lanes.lane import Partition
from interceptor.delivery import Record, UnreadableRecord


def to_record(message: Message) -> Record:
    """Convert a message without error. The driver's types allow None where such a message has a value."""
    kind = Record
    try:
        headers = message.headers() or []
    except (SystemError, UnicodeDecodeError):
        # The driver decodes header names as UTF-8. Kafka does not require that.
        kind, headers = UnreadableRecord, []
    return kind(
        message.topic(),  # type: ignore[arg-type]
        message.partition(),  # type: ignore[arg-type]
        message.offset(),  # type: ignore[arg-type]
        message.timestamp()[1],
        message.key(),
        message.value(),
        headers,  # type: ignore[arg-type]
    )


def partition_of(message: Message) -> Partition:
    """The partition of a record or of an error event about a partition."""
    return str(message.topic()), message.partition() or 0
