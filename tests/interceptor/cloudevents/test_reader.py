"""Records read as events. The CloudEvents SDK reads the same records in the same way."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.cloudevents.reader import read_event
from interceptor.errors import InvalidEvent
from tests.interceptor.cloudevents.records import BINARY, EVENT, STRUCTURED, without


@pytest.mark.parametrize(
    ("headers", "value", "reason"),
    [
        ([], None, "tombstone"),
        ([("x", b"y"), ("content-type", b"application/json")], None, "tombstone"),
        (STRUCTURED, None, "tombstone"),
        ([], b"junk", "not a CloudEvent: neither ce_ headers"),
        (without("ce_id"), b"{}", "'id' is missing"),
        ([*without("ce_id"), ("ce_id", b"")], b"{}", "'id' is missing or empty"),
        ([*without("ce_id"), ("ce_id", b"\xff")], b"{}", "'ce_id' is not valid UTF-8"),
        ([*without("ce_id"), ("ce_id", None)], b"{}", "'id' is missing or empty"),
        ([*BINARY, ("ce_id", b"2")], b"{}", "'id' is present twice"),
        ([*BINARY, ("ce_data", b"[1]")], b"{}", "invalid attribute name 'data'"),
        ([*BINARY, ('ce_a":1,"b', b"x")], b"{}", "invalid attribute name"),
        (
            [*without("ce_specversion"), ("ce_specversion", b"0.3")],
            b"{}",
            "CloudEvents version '0.3' is not supported",
        ),
        (STRUCTURED, b"{", "not a valid JSON object"),
        (STRUCTURED, b"[]", "not a valid JSON object"),
        (STRUCTURED, orjson.dumps(EVENT | {"id": 5}), "'id' is not a string"),
        (STRUCTURED, orjson.dumps(EVENT | {"specversion": 1.0}), "'specversion' is neither a string"),
        (STRUCTURED, b"{}", "the attributes 'id', 'source', 'specversion', 'type' are missing or empty"),
        (
            STRUCTURED,
            b'{"id": null, "source": "", "specversion": "1.0"}',
            "'id', 'source', 'type' are missing",
        ),
        (without("ce_id")[1:], b"{}", "the attributes 'id', 'specversion' are missing or empty"),
        (STRUCTURED, orjson.dumps(EVENT | {"x": [1]}), "'x' is neither a string"),
        (STRUCTURED, orjson.dumps(EVENT | {"x": 1.5}), "'x' is neither a string"),
        (STRUCTURED, orjson.dumps(EVENT | {"x": 2**31}), "'x' does not fit into a 32-bit integer"),
        (STRUCTURED, json.dumps(EVENT | {"x": 10**30}).encode(), "'x' does not fit into a 32-bit integer"),
        (STRUCTURED, json.dumps(EVENT | {"x": 10**4000}).encode(), "the attribute 'x' "),
        (STRUCTURED, orjson.dumps(EVENT)[:-1] + b',"x":1e400}', "'x' is neither a string"),
        (STRUCTURED, orjson.dumps(EVENT | {"data": 1, "data_base64": "aa"}), "both data and data_base64"),
        (STRUCTURED, orjson.dumps(EVENT | {"data_base64": "?"}), "data_base64 is not valid base64"),
        ([("content-type", b"application/cloudevents-batch+json")], b"[]", "no batch mode"),
        ([("content-type", b"application/cloudevents+avro")], b"", "is not supported: use +json"),
    ],
)
def test_a_record_that_is_not_an_event_is_rejected_with_a_reason(headers, value, reason):
    with pytest.raises(InvalidEvent) as error:
        read_event(headers, value)
    assert reason in str(error.value)


@pytest.mark.parametrize("empty", [b"", None])
def test_an_empty_attribute_is_absent(empty):
    event = read_event([*BINARY, ("ce_subject", empty), ("ce_partitionkey", empty)], b"[1]")
    assert "subject" not in event.attributes
    assert b"subject" not in event.to_json()
    structured = EVENT | {"subject": None if empty is None else "", "expirytime": ""}
    assert read_event(STRUCTURED, orjson.dumps(structured)).attributes == EVENT


@given(
    st.lists(st.tuples(st.sampled_from(["ce_id", "ce_x", "content-type", "y"]), st.binary() | st.none())),
    st.binary(),
)
def test_any_record_is_an_event_or_rejected(headers, value):
    for record_headers in (headers, BINARY + headers, STRUCTURED):
        try:
            event = read_event(record_headers, value)
        except InvalidEvent:
            continue
        assert orjson.loads(event.to_json())["id"]
