"""Reads a Kafka record as a CloudEvent.

Protocol: CloudEvents 1.0.2 with its Kafka binding (binary and structured mode) and its JSON format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interceptor.cloudevents.binary import read_binary
from interceptor.cloudevents.event import Event
from interceptor.cloudevents.structured import PREFIX, read_structured

if TYPE_CHECKING:
    from interceptor.outcome import Headers


def read_event(headers: Headers, value: bytes | None) -> Event:
    """Return the event of a record. Raises InvalidEvent with the reason.

    A record without a value is an event without data if its headers are those of an event (Kafka binding, 3.2.2).
    Null and empty attributes count as absent.
    """
    for name, content in headers:
        if name == "content-type" and content:
            if content[: len(PREFIX)].lower() == PREFIX:
                return read_structured(headers, content, value)
            break
    return read_binary(headers, value)
