"""Decodes a record in the format of its input. A record that cannot be used becomes a dead letter."""

from __future__ import annotations

from typing import Final

from interceptor.delivery import Record
from interceptor.outcome import DeadLetter
from interceptor.readings.contract import Decoded, Format, Skip, UndecodableRecord

KIND: Final = "undecodable"  # of the dead letters
# A producer may send a record that holds only such readings. Other readings that cannot be read are a mistake.
_EXPECTED = frozenset((Skip.TEXT, Skip.NOT_A_NUMBER, Skip.STALE))


def decode(format_: Format, record: Record) -> Decoded | DeadLetter:
    """Return the record's readings, or a dead letter with the reason. The record must have a value."""
    assert record.value is not None
    try:
        return format_.decode(record.value, record.key, record.headers, record.timestamp_ms)
    except UndecodableRecord as error:
        return DeadLetter(str(error), kind=KIND)
    except Exception as error:  # a user's format: one record must not stop the consumer
        return failed(error)


def failed(error: Exception) -> DeadLetter:
    """Return the dead letter of a record for which the format raised an exception."""
    return DeadLetter(f"its format failed: {type(error).__name__}: {error}", kind=KIND)


def unreadable(decoded: Decoded) -> DeadLetter | None:
    """Return the dead letter of a record without usable readings. None if its producer made no mistake."""
    if decoded.skipped.keys() <= _EXPECTED:
        return None
    found = ", ".join(f"{reason.value}: {count}" for reason, count in decoded.skipped.items())
    return DeadLetter(f"none of its readings can be read ({found})", kind=KIND)
