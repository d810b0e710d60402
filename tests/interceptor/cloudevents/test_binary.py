"""Binary mode: attributes in headers, data in the value."""

import base64
import json
import tracemalloc

import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from interceptor.cloudevents.reader import read_event
from tests.interceptor.cloudevents.records import BINARY, without
from tests.interceptor.cloudevents.sdk_events import json_values, names, sent_attributes, texts


def test_a_binary_event_becomes_json_with_unchanged_data():
    event = read_event([*BINARY, ("ce_destination", b"forecast"), ("x", b"\xff")], b'{"values": [1, 2.50]}')
    assert event.attributes["destination"] == "forecast"
    assert event.data == b'{"values": [1, 2.50]}'
    assert json.loads(event.to_json()) == {
        "specversion": "1.0",
        "id": "1",
        "source": "/test",
        "type": "io.fncast.window.v1",
        "datacontenttype": "application/json",
        "destination": "forecast",
        "data": {"values": [1, 2.5]},
    }


def test_data_that_is_not_json_becomes_base64():
    headers = [*without("content-type"), ("content-type", b"application/x-graphpipe")]
    event = read_event(headers, b"\x00\xff")
    assert json.loads(event.to_json())["data_base64"] == base64.b64encode(b"\x00\xff").decode()


@pytest.mark.parametrize("headers", [without("content-type"), BINARY])
def test_a_record_without_a_value_is_an_event_without_data(headers):
    event = read_event(headers, None)
    assert event.data is None
    assert "data" not in json.loads(event.to_json())
    assert "data_base64" not in json.loads(event.to_json())


@given(id_=texts, source=texts, extensions=st.dictionaries(names, texts, max_size=4), data=json_values)
def test_the_sdk_reads_the_same_binary_record(id_, source, extensions, data):
    headers = [("ce_specversion", "1.0"), ("ce_id", id_), ("ce_source", source), ("ce_type", "t")]
    headers += [(f"ce_{name}", text) for name, text in extensions.items()]
    pairs = [(name, text.encode()) for name, text in headers] + [("content-type", b"application/json")]
    value = orjson.dumps(data)
    event = read_event(pairs, value)
    sdk_event = from_binary(
        KafkaMessage(headers=dict(pairs), key=None, value=value), JSONFormat(), CloudEvent
    )
    assert {name: event.text(name) for name in event.attributes} == {
        name: str(value) for name, value in sent_attributes(sdk_event).items()
    }
    assert orjson.loads(event.data) == sdk_event.get_data()


def test_long_headers_are_not_kept_in_memory():
    """A producer may send values and names of a megabyte, and another one in each record."""
    tracemalloc.start()
    try:
        for number in range(50):
            long = b"%d" % number + b"x" * 10_000
            event = read_event([*BINARY, ("ce_subject", long), (f"ce_{long.decode()}", b"1")], b"1")
            assert event.text("subject") == long.decode()
            assert event.text(long.decode()) == "1"
        bytes_in_use, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert bytes_in_use < 200_000  # the last event has some 40,000
