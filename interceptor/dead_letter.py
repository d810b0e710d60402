"""A dead letter as a record: the original byte for byte, and why, in headers behind its own.

`knativeerror…` are Knative's names. The `ce_` prefix is left out: beside a structured event it would make a reader
take the record for a binary one.
"""

from __future__ import annotations

from fncast.foreign_text import clean
from interceptor.delivery import Delivery, Record
from interceptor.outcome import DeadLetter, Headers
from interceptor.routes.redaction import redacted
from interceptor.routes.route import shown

MAX_DATA_BYTES = 1024  # knativeerrordata, by design; the reason is cut likewise
MAX_ADDED_BYTES = (
    64 * 1024
)  # what a dead letter may be larger than its record: producer and topic allow for it

# In the order in which they stand at the end of a letter's headers; `knativeerrorcode` may be missing.
ADDED_HEADERS = (
    "knativeerrordest",
    "knativeerrorcode",
    "knativeerrordata",
    "fncast-reason",
    "fncast-attempts",
    "fncast-topic",
    "fncast-partition",
    "fncast-offset",
    "fncast-timestamp",
)


def headers(delivery: Delivery, outcome: DeadLetter) -> Headers:
    """The record's own headers, then ours."""
    record = delivery.record
    told = redacted(outcome.reason, delivery.route) if delivery.route else outcome.reason
    reason = cut(clean(told, MAX_DATA_BYTES), MAX_DATA_BYTES)
    added: list[tuple[str, str | bytes]] = [
        ("knativeerrordest", shown(delivery.route.target) if delivery.route else ""),
        ("knativeerrordata", reason),
        ("fncast-reason", reason),
        ("fncast-attempts", str(outcome.attempts)),
        ("fncast-topic", record.topic),
        ("fncast-partition", str(record.partition)),
        ("fncast-offset", str(record.offset)),
        ("fncast-timestamp", str(record.timestamp_ms)),
    ]
    if outcome.code is not None:
        added.insert(1, ("knativeerrorcode", str(outcome.code)))
    return [*record.headers, *((name, v.encode() if isinstance(v, str) else v) for name, v in added)]


def own_and_added(record: Record) -> tuple[Headers, Headers]:
    """The headers as they were before the record became a dead letter, and those that were added behind them.

    The sender's own may have the same names: only the last of each name, in their order, at the very end are added.
    """
    end = len(record.headers)
    for name in reversed(ADDED_HEADERS):
        if end and record.headers[end - 1][0] == name:
            end -= 1
    return record.headers[:end], record.headers[end:]


def cut(text: str, max_bytes: int) -> bytes:
    """`text` as UTF-8 of at most `max_bytes`, no character cut in two."""
    encoded = text.encode("utf-8", "replace")
    return encoded if len(encoded) <= max_bytes else encoded[:max_bytes].decode("utf-8", "ignore").encode()
