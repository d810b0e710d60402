"""A dead letter as a Kafka record: the original byte for byte, and the reason in headers after the original headers.

`knativeerror…` are Knative's names. They have no `ce_` prefix: with it, a reader would take a structured event for a
binary one.
"""

from __future__ import annotations

from fncast.foreign_text import clean
from interceptor.delivery import Delivery, Record
from interceptor.outcome import DeadLetter, Headers
from interceptor.routes.redaction import redacted
from interceptor.routes.route import without_secrets

MAX_DATA_BYTES = 1024  # Knative's limit for knativeerrordata; `fncast-reason` is cut to the same size
# A dead letter is at most this much larger than its record. Producer and topic limits allow for it.
MAX_ADDED_BYTES = 64 * 1024

STRUCTURED: Headers = [("content-type", b"application/cloudevents+json")]

# In the order of the headers at the end of a dead letter. `knativeerrorcode` may be missing.
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
# Each dead letter of fncast has these.
_PLACE = frozenset(("fncast-reason", "fncast-topic", "fncast-partition", "fncast-offset"))


def value(delivery: Delivery) -> bytes | None:
    """Return the record's value. For a window of a record: the window event in structured mode."""
    if delivery.parent is not None and delivery.event is not None:
        return delivery.event.to_json()
    return delivery.record.value


def headers(delivery: Delivery, outcome: DeadLetter) -> Headers:
    """Return the record's headers followed by the added ones. For a window: the headers of its event."""
    record = delivery.record
    original = STRUCTURED if delivery.parent is not None else record.headers
    full_reason = redacted(outcome.reason, delivery.route) if delivery.route else outcome.reason
    reason = cut(clean(full_reason, MAX_DATA_BYTES), MAX_DATA_BYTES)
    added: list[tuple[str, str | bytes]] = [
        ("knativeerrordest", without_secrets(delivery.route.target) if delivery.route else ""),
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
    return [*original, *((name, v.encode() if isinstance(v, str) else v) for name, v in added)]


def split_headers(record: Record) -> tuple[Headers, Headers]:
    """Split the headers of a dead letter into those of the original record and the added ones.

    The sender's headers may have the same names. Only the last header of each name counts as added, if these headers
    are in order and at the end.
    Another program may write the added headers in another order, or other headers after them. Then the last headers
    with these names that stand side by side are the added ones.
    """
    headers = record.headers
    start = len(headers)
    for name in reversed(ADDED_HEADERS):
        if start and headers[start - 1][0] == name:
            start -= 1
    if _PLACE.issubset(name for name, _ in headers[start:]):
        return headers[:start], headers[start:]
    end = len(headers)
    while end and headers[end - 1][0] not in ADDED_HEADERS:
        end -= 1
    start, names = end, set(ADDED_HEADERS)
    while start and headers[start - 1][0] in names:
        start -= 1
        names.remove(headers[start][0])
    return [*headers[:start], *headers[end:]], headers[start:end]


def cut(text: str, max_bytes: int) -> bytes:
    """Return `text` as UTF-8, cut to at most `max_bytes` between two characters."""
    encoded = text.encode("utf-8", "replace")
    return encoded if len(encoded) <= max_bytes else encoded[:max_bytes].decode("utf-8", "ignore").encode()
