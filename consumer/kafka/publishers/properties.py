"""The librdkafka properties of the publishers' producers; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interceptor.dead_letter import MAX_ADDED_BYTES

# Doubled at each retry, up to 1 s. The broker rejects a transaction's first requests while it writes the markers of the
# last transaction (CONCURRENT_TRANSACTIONS). librdkafka's default of 100 ms makes such commits slow.
RETRY_BACKOFF_MS = 5
LOG_LEVEL = 2  # at 3, librdkafka logs each attempt to reach a broker that is down
# The broker's default for the largest record, framing included. A topic may have another limit.
BROKER_RECORD_BYTES = 1_048_588
MAX_RECORD_BYTES = 1_000_000_000  # the largest message.max.bytes that librdkafka accepts
BATCH_BYTES = 1_000_000  # librdkafka's default; topics limit a batch as they limit a record


def producer_properties(client_properties: Mapping[str, str], partitioner: str) -> dict[str, Any]:
    """The properties of an idempotent producer, which keeps order and repeats nothing.

    client_properties: addresses, security and the user's properties. partitioner: librdkafka's name of it.
    """
    return {
        "log_level": LOG_LEVEL,
        # Results come in bursts of a batch, so a longer wait costs delay and a shorter one throughput.
        "linger.ms": 1,
        "retry.backoff.ms": RETRY_BACKOFF_MS,
        "message.max.bytes": BROKER_RECORD_BYTES + MAX_ADDED_BYTES,
        "queue.buffering.max.kbytes": 32 * 1024,
        "topic.metadata.refresh.interval.ms": 10_000,
        **client_properties,
        "enable.idempotence": True,
        "partitioner": partitioner,
        "delivery.report.only.error": True,
    }


def with_size_limits(
    properties: Mapping[str, Any], client_properties: Mapping[str, str], record_bytes: int, batch_bytes: int
) -> dict[str, Any]:
    """The properties, once the topics' limits are known. The user's batch.size prevails.

    record_bytes: the largest possible dead letter. batch_bytes: the largest batch that all topics accept.
    """
    largest = min(max(record_bytes, int(properties["message.max.bytes"])), MAX_RECORD_BYTES)
    return {
        **properties,
        "batch.size": min(batch_bytes, BATCH_BYTES),
        **client_properties,
        # A smaller message.max.bytes of the user would reject dead letters.
        "message.max.bytes": largest,
        # The client never takes a record that is larger than its whole queue.
        "queue.buffering.max.kbytes": max(int(properties["queue.buffering.max.kbytes"]), 2 * largest // 1024),
    }
