"""Structured mode: the whole event in the value."""

import json

import orjson
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from interceptor.cloudevents.reader import read_event
from interceptor.errors import InvalidEvent
from tests.interceptor.cloudevents.records import EVENT, STRUCTURED
from tests.interceptor.cloudevents.sdk_events import json_values, names, sent_attributes, texts


def test_a_structured_event_keeps_its_data_unchanged():
    body = b'{"data": {"values": [1.0, 2]}, "specversion":"1.0","id":"1","source":"/s","type":"t","n":5,"b":true,"z":null}'  # noqa: E501
    event = read_event(STRUCTURED, body)
    assert event.data == b'{"values": [1.0, 2]}'
    assert event.attributes["n"] == 5
    assert event.text("b") == "true"
    assert "z" not in event.attributes
    assert json.loads(event.to_json())["b"] is True


def test_null_beside_data_is_absent():
    assert read_event(STRUCTURED, orjson.dumps(EVENT | {"data": [1], "data_base64": None})).data == b"[1]"
    assert read_event(STRUCTURED, orjson.dumps(EVENT | {"data": None, "data_base64": "AA=="})).data == b"\x00"
    assert read_event(STRUCTURED, orjson.dumps(EVENT | {"data_base64": None})).data is None


@given(
    id_=texts,
    extensions=st.dictionaries(names, texts | st.booleans() | st.integers(-(2**31), 2**31 - 1), max_size=4),
    data=json_values.filter(lambda data: data is not None),
)
def test_the_sdk_reads_the_same_structured_record(id_, extensions, data):
    body = orjson.dumps(
        {**extensions, "specversion": "1.0", "id": id_, "source": "/s", "type": "t", "data": data}
    )
    event = read_event(STRUCTURED, body)
    sdk_event = from_structured(
        KafkaMessage(headers=dict(STRUCTURED), key=None, value=body), JSONFormat(), CloudEvent
    )
    assert event.attributes == sent_attributes(sdk_event)
    assert orjson.loads(event.data) == sdk_event.get_data()
    assert json.loads(event.to_json()) == json.loads(body)


@given(
    st.dictionaries(
        st.sampled_from(["id", "x", "data", "data_base64", "type"]),
        st.integers() | st.floats() | st.text() | st.none() | st.lists(st.integers()) | st.just(1e400),
    )
)
def test_any_members_are_an_event_or_rejected(members):
    try:
        event = read_event(STRUCTURED, json.dumps(EVENT | members).encode())
    except InvalidEvent:
        return
    assert orjson.loads(event.to_json())["source"] == "/test"
