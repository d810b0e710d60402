"""The records of a test, as read from messages."""

from __future__ import annotations

import pytest
from confluent_kafka import Message

from fncast.testing.records import DeadLetterRecord, ForecastRecord

Headers = list[tuple[str, bytes | None]]


def message(value: bytes | None, headers: Headers) -> Message:
    return Message(topic="t", partition=2, offset=7, key=b"cpu", value=value, headers=headers)


@pytest.mark.parametrize(
    ("content_type", "value", "data"),
    [
        (b"application/json", b'{"values": [1]}', {"values": [1]}),
        (b"application/vnd.fncast+json", b"[1]", [1]),
        (b"application/octet-stream", b"[1]", b"[1]"),
        (b"application/jsonlines", b"1\n2\n", b"1\n2\n"),
        (b"application/json", None, None),
    ],
)
def test_the_data_of_a_forecast_is_parsed_if_it_is_json(
    content_type: bytes, value: bytes | None, data: object
) -> None:
    found = ForecastRecord.of(message(value, [("ce_id", b"1"), ("content-type", content_type)]))
    assert (found.data, found.key, found.partition) == (data, b"cpu", 2)


def test_only_the_headers_of_a_cloudevent_are_attributes() -> None:
    headers: Headers = [("ce_id", b"1"), ("content-type", b"application/json"), ("trace", b"x")]
    found = ForecastRecord.of(message(b"1", headers))
    assert found.attributes == {"id": "1"}
    assert found.headers == headers


def test_a_dead_letter_has_its_reason_and_the_original_record() -> None:
    headers: Headers = [("ce_subject", b"boiler"), ("fncast-reason", b"rejected"), ("fncast-attempts", b"3")]
    found = DeadLetterRecord.of(message(b"original", [*headers, ("knativeerrorcode", b"400")]))
    assert (found.reason, found.attempts, found.code) == ("rejected", 3, 400)
    assert (found.value, found.key, found.attributes) == (b"original", b"cpu", {"subject": "boiler"})
    assert DeadLetterRecord.of(message(b"original", headers)).code is None


def test_a_header_of_the_sender_may_hold_any_bytes() -> None:
    headers: Headers = [
        ("ce_subject", b"\xff"),
        ("x", None),
        ("fncast-reason", b"bad"),
        ("fncast-attempts", b"0"),
    ]
    found = DeadLetterRecord.of(message(b"original", headers))
    assert (found.reason, found.headers) == ("bad", headers)


def test_the_headers_that_the_consumer_added_last_count() -> None:
    forged: Headers = [("fncast-reason", b"forged"), ("fncast-attempts", b"9")]
    found = DeadLetterRecord.of(
        message(None, [*forged, ("fncast-reason", b"true"), ("fncast-attempts", b"1")])
    )
    assert (found.reason, found.attempts) == ("true", 1)
