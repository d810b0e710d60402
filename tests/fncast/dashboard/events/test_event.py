"""Reading the event in a record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.dashboard.events.event import NotAnEvent, parse
from fncast.dashboard.events.record import Headers, ReceivedRecord

STRUCTURED: Headers = [("content-type", b"application/cloudevents+json")]
EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
BINARY: Headers = [(f"ce_{name}", value.encode()) for name, value in EVENT.items()]


def record(headers: Headers, value: bytes | None) -> ReceivedRecord:
    return ReceivedRecord("forecasts", 0, 0, 0.0, value, headers)


def structured(members: dict[str, Any]) -> ReceivedRecord:
    return record(STRUCTURED, json.dumps(EVENT | members).encode())


def test_null_is_absent() -> None:
    assert parse(structured({"data": [1], "data_base64": None})).data == [1]
    assert parse(structured({"data": None, "data_base64": "AA=="})).data == b"\x00"
    assert parse(structured({"subject": None, "modelname": None})).attributes == EVENT


def test_an_empty_attribute_is_absent() -> None:
    assert parse(structured({"subject": ""})).attributes == EVENT
    event = parse(record([*BINARY, ("ce_subject", b""), ("ce_x", None)], b"[1]"))
    assert event.subject == "/s"
    assert json.loads(event.document()) == EVENT | {"data": [1]}


def test_a_null_value_is_an_event_without_data() -> None:
    assert json.loads(parse(record(BINARY, None)).document()) == EVENT


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (structured({"data": 1, "data_base64": "AA=="}), "both data and data_base64"),
        (structured({"data_base64": "?"}), "not Base64"),
        (structured({"data_base64": 5}), "not Base64"),
        (record(STRUCTURED, None), "not JSON: it is empty"),
        (record([], None), "id and source and type missing"),
        (record(STRUCTURED, b"{}"), "id and source and type missing"),
        (record(STRUCTURED, b"[" * 100_000), "not JSON"),
    ],
)
def test_the_error_names_the_reason(found: ReceivedRecord, reason: str) -> None:
    with pytest.raises(NotAnEvent, match=reason):
        parse(found)


def test_deeply_nested_data_raises_when_written() -> None:
    deep = b"[" * 500 + b"]" * 500
    event = parse(record(BINARY, deep))
    with pytest.raises(NotAnEvent, match="cannot be written"):
        event.document()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ce_id", "ce_source", "ce_type", "ce_x", "content-type", "CE_ID", "y"]),
            st.none() | st.binary(max_size=20) | st.just(b"application/cloudevents+json"),
        )
    ),
    st.none() | st.binary(max_size=20) | st.sampled_from([b"{}", json.dumps(EVENT).encode(), b"[1]"]),
    st.booleans(),
)
def test_any_record_is_an_event_or_raises(headers: Headers, value: bytes | None, is_event: bool) -> None:
    try:
        event = parse(record([*BINARY, *headers] if is_event else headers, value))
    except NotAnEvent:
        return
    assert event.id
    assert event.source
    assert event.subject
    assert json.loads(event.document())["id"] == event.id
