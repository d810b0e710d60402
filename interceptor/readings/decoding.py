"""Decodes a record in the format of its input. A record that cannot be used becomes a dead letter."""

from __future__ import annotations

from typing import Final

from interceptor.delivery import Record
from interceptor.outcome import DeadLetter, Skipped
from interceptor.readings.contract import Decoded, Format, Skip, UndecodableRecord

KIND: Final = "undecodable"  # of the dead letters
# The outcome of a record that deletes a key of a compacted topic.
NO_VALUE = Skipped("the record has no value")
# A producer may send a record that holds only such readings. Other readings that cannot be read are a mistake.
_EXPECTED = frozenset((Skip.TEXT, Skip.NOT_A_NUMBER, Skip.STALE))
_COMPRESSED = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


def decode(format_: Format, record: Record) -> Decoded | DeadLetter:
    """Return the record's readings, or a dead letter with the reason. The record must have a value."""
    assert record.value is not None
    try:
        return format_.decode(record.value, record.key, record.headers, record.timestamp_ms)
    except UndecodableRecord as error:
        return DeadLetter(why_unreadable(record.value) or str(error), kind=KIND)
    except Exception as error:  # a user's format: one record must not stop the consumer
        return failed(error)


def why_unreadable(value: bytes) -> str:
    """Return why no format can read these bytes, if they show it. Else an empty string."""
    if not value:
        return "its value is empty"
    for name, magic in _COMPRESSED.items():
        if value.startswith(magic):
            return (
                f"its value is compressed with {name}. Turn that off at the producer: Kafka itself compresses records"
                " if compression.type is set"
            )
    return ""


def failed(error: Exception) -> DeadLetter:
    """Return the dead letter of a record for which the format raised an exception."""
    return DeadLetter(f"its format failed: {type(error).__name__}: {error}", kind=KIND)


def unreadable(decoded: Decoded) -> DeadLetter | None:
    """Return the dead letter of a record without usable readings. None if its producer made no mistake."""
    if decoded.skipped.keys() <= _EXPECTED:
        return None
    found = ", ".join(f"{reason.value}: {count}" for reason, count in decoded.skipped.items())
    return DeadLetter(f"none of its readings can be read ({found})", kind=KIND)
