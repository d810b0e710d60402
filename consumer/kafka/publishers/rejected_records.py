"""Finds the records that the broker rejects: too large, without the key that a compacted topic needs, against a policy.

If one record of a batch is rejected, the broker may report all records of the batch as failed. So each failed record is
isolated: it is published again on its own, and the answer is about this record.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import KafkaError, Message

from consumer.errors import RecordRejected, RecordTooLarge
from fncast.wording.kafka import describe
from interceptor.outcome import Headers

# Errors that one record causes. A broker that names the record (KIP-467) gives the rest of its batch another code.
RECORD_CODES = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.POLICY_VIOLATION,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT,
        KafkaError.INVALID_MSG,  # before Kafka 2.4: a record without key for a compacted topic
    }
)
# Errors of all records of a batch of which one is rejected.
FAILED_WITH_BATCH = RECORD_CODES | {KafkaError._INVALID_DIFFERENT_RECORD}
LIMIT_S = 60.0  # a limit is forgotten after this time: the topic may allow more by then
BATCH_FRAME_BYTES = 61  # of a batch in Kafka's record format 2
# The largest overhead of a record, and of each header.
FRAME_BYTES = 100
HEADER_FRAME_BYTES = 10


class RejectedRecords:
    """Records to isolate, and sizes that are rejected. has_any: whether there are any of them."""

    def __init__(self, learns_limits: bool, clock_s: Callable[[], float] = time.monotonic) -> None:
        """learns_limits: False for compressed records: the broker checks their compressed size."""
        self.has_any = False
        self._learns_limits = learns_limits
        self._isolated: dict[int, KafkaError] = {}
        self._names_records = False  # whether the broker names the rejected record of a batch (KIP-467)
        self._clock_s = clock_s
        # By topic: the size in bytes of the smallest rejected batch, and until when it is remembered.
        self._limits: dict[str, tuple[int, float]] = {}

    def on_failure(self, error: KafkaError, message: Message) -> None:
        """Handle a delivery report: a record failed, on its own or with its batch."""
        if error.code() in RECORD_CODES:
            self._isolated[hash((message.topic(), message.key(), message.value()))] = error
            self.has_any = True
        elif error.code() == KafkaError._INVALID_DIFFERENT_RECORD:
            self._names_records = True

    def must_isolate(self, topic: str, key: bytes | None, value: bytes | None) -> bool:
        """Whether to publish this record on its own. Compares content, so an equal record is isolated as well.

        Raises RecordRejected if the broker has named this record.
        """
        error = self._isolated.get(hash((topic, key, value))) if self._isolated else None
        if error is not None and self._names_records and error.code() == KafkaError.INVALID_RECORD:
            raise self.rejection(error, topic, 0)
        return error is not None

    def stop_isolating(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        """The broker has accepted this record on its own."""
        self._isolated.pop(hash((topic, key, value)), None)

    def clear_isolated(self) -> None:
        """Stop isolating records: all of them are committed."""
        self._isolated.clear()
        self.has_any = bool(self._limits)

    def rejection(self, error: KafkaError, topic: str, size: int) -> RecordRejected:
        """The error of a record that failed on its own. size: of its batch. Learns the topic's limit from it."""
        if error.code() != KafkaError.MSG_SIZE_TOO_LARGE:
            return RecordRejected(f"the broker rejects the record for {topic!r}: {describe(error)}")
        if self._learns_limits and self.fits(topic, size):
            self._limits[topic] = size, self._clock_s() + LIMIT_S
        return RecordTooLarge(f"the broker rejects a record of this size for {topic!r}")

    def fits(self, topic: str, size: int) -> bool:
        """False if the broker has rejected a batch of this size, or of a smaller one."""
        if topic not in self._limits:
            return True
        limit, until_s = self._limits[topic]
        if self._clock_s() >= until_s:
            del self._limits[topic]
            return True
        return size < limit


def batch_size_of(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """The bytes of an uncompressed batch of this record alone, as the broker compares them with max.message.bytes."""
    fields = 3 + _field_bytes(key) + _field_bytes(value) + _varint_bytes(len(headers))
    for name, content in headers:
        fields += _field_bytes(name.encode()) + _field_bytes(content)
    return BATCH_FRAME_BYTES + _varint_bytes(fields) + fields


def _field_bytes(content: bytes | None) -> int:
    return 1 if content is None else _varint_bytes(len(content)) + len(content)


def _varint_bytes(number: int) -> int:
    """The bytes of a zigzag varint of a number from 0 on."""
    return max(1, -(-(2 * number).bit_length() // 7))


def framed_size_of(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """An upper bound for the size that the client calculates for a record."""
    payload = len(key or b"") + len(value or b"")
    payload += sum(len(name.encode()) + len(content or b"") for name, content in headers)
    return payload + FRAME_BYTES + HEADER_FRAME_BYTES * len(headers)
