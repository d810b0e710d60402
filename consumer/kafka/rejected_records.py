"""Records that the broker refuses for what they are: too large, without the key that a compacted topic needs, against a
policy.

Of a batch with one such record all may be reported as failed, and a report tells no headers. So those that failed are
suspects: published again they go alone, and the answer is about the one.
"""

from __future__ import annotations

from confluent_kafka import KafkaError, Message

from consumer.errors import RecordRefused, RecordTooLarge
from fncast.wording.kafka import words
from interceptor.outcome import Headers

# A record alone is to blame for these. Where a broker tells which of a batch it is, the others fail by another code.
CODES = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.POLICY_VIOLATION,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT,
        KafkaError.INVALID_MSG,  # a compacted topic's answer to a record without key, before Kafka 2.4
    }
)
# What records of a batch fail by where one of it is refused.
FAILED_WITH_BATCH = CODES | {KafkaError._INVALID_DIFFERENT_RECORD}
# A refusal for its size of a smaller one has another cause: no limit that others are measured by.
MIN_LIMIT_BYTES = 16 * 1024
# What a record's frame takes, and that of each header, at most.
FRAME_BYTES = 100
HEADER_FRAME_BYTES = 10


class Refusals:
    """are_known: whether there is any to heed, now or from before."""

    def __init__(self, learns_limits: bool) -> None:
        """learns_limits: not where records are compressed, whose size the broker looks at."""
        self.are_known = False
        self._learns_limits = learns_limits
        self._suspects: dict[int, KafkaError] = {}
        self._is_told = False  # whether the broker tells which of a batch it is (KIP-467)
        self._refused_bytes: dict[str, int] = {}  # by topic: from this size on

    def report(self, error: KafkaError, message: Message) -> None:
        """A record failed, alone or with its batch."""
        if error.code() in CODES:
            self._suspects[hash((message.topic(), message.key(), message.value()))] = error
            self.are_known = True
        elif error.code() == KafkaError._INVALID_DIFFERENT_RECORD:
            self._is_told = True

    def is_suspect(self, topic: str, key: bytes | None, value: bytes | None) -> bool:
        """By its content, so another of the same may be taken for it: that costs time, and nothing else.

        Raises RecordRefused where the broker has told that it is the one.
        """
        error = self._suspects.get(hash((topic, key, value))) if self._suspects else None
        if error is not None and self._is_told and error.code() == KafkaError.INVALID_RECORD:
            raise self.refusal(error, topic, 0)
        return error is not None

    def acquit(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        """It was taken, alone: published again, it needs not go alone."""
        self._suspects.pop(hash((topic, key, value)), None)

    def forget_suspects(self) -> None:
        """All that was published is safe."""
        self._suspects.clear()
        self.are_known = bool(self._refused_bytes)

    def refusal(self, error: KafkaError, topic: str, size: int) -> RecordRefused:
        """The verdict on a record that failed alone."""
        if error.code() != KafkaError.MSG_SIZE_TOO_LARGE:
            return RecordRefused(f"the broker takes no such record for {topic!r}: {words(error)}")
        if self._learns_limits and size >= MIN_LIMIT_BYTES:
            self._refused_bytes[topic] = min(size, self._refused_bytes.get(topic, size))
        return RecordTooLarge(f"the broker takes no record of this size for {topic!r}")

    def fits(self, topic: str, size: int) -> bool:
        """False where the broker has refused a record of this size."""
        refused = self._refused_bytes.get(topic)
        return refused is None or size < refused


def size_of(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """The bytes of a record, its frame apart."""
    return len(key or b"") + len(value or b"") + sum(len(name) + len(v or b"") for name, v in headers)


def framed_size_of(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """What the client takes for a record's size, or a little more."""
    return size_of(key, value, headers) + FRAME_BYTES + HEADER_FRAME_BYTES * len(headers)
