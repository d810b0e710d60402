"""Records read as events. The CloudEvents SDK reads the same records in the same way."""

import base64
import json
import string

import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, from_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from interceptor.cloudevents.reader import read_event
from interceptor.errors import InvalidEvent

BINARY = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"1"),
    ("ce_source", b"/test"),
    ("ce_type", b"io.fncast.window.v1"),
    ("content-type", b"application/json"),
]
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=utf-8")]
EVENT = {"specversion": "1.0", "id": "1", "source": "/test", "type": "t"}


def without(name: str) -> list[tuple[str, bytes]]:
    return [pair for pair in BINARY if pair[0] != name]


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


def test_a_structured_event_keeps_its_data_unchanged():
    body = b'{"data": {"values": [1.0, 2]}, "specversion":"1.0","id":"1","source":"/s","type":"t","n":5,"b":true,"z":null}'  # noqa: E501
    event = read_event(STRUCTURED, body)
    assert event.data == b'{"values": [1.0, 2]}'
    assert event.attributes["n"] == 5
    assert event.text("b") == "true"
    assert "z" not in event.attributes
    assert json.loads(event.to_json())["b"] is True


def test_data_that_is_not_json_becomes_base64():
    headers = [*without("content-type"), ("content-type", b"application/x-graphpipe")]
    event = read_event(headers, b"\x00\xff")
    assert json.loads(event.to_json())["data_base64"] == base64.b64encode(b"\x00\xff").decode()


def test_data_without_a_content_type_is_json_if_it_is_valid_json():
    assert read_event(without("content-type"), b"[1]").is_json
    assert not read_event(without("content-type"), b"[1").is_json


@pytest.mark.guarantee("an event's data cannot forge a second event")
@pytest.mark.parametrize(
    "forged",
    [
        b'[1,2]},{"id":"evil","data":[3]',
        b'{"values":[1]} ,"id":"evil"',
        b"[1] [2]",
        b'"\xff"',
        b"NaN",
        b"[Infinity]",
        b"[01]",
        b"",
        b"[" * 100_000,
    ],
)
def test_data_cannot_forge_a_second_event(forged):
    with pytest.raises(InvalidEvent, match="not valid JSON"):
        read_event(BINARY, forged)


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


@pytest.mark.parametrize("headers", [without("content-type"), BINARY])
def test_a_record_without_a_value_is_an_event_without_data(headers):
    event = read_event(headers, None)
    assert event.data is None
    assert "data" not in json.loads(event.to_json())
    assert "data_base64" not in json.loads(event.to_json())


@pytest.mark.parametrize(
    "content_types",
    [
        [("content-type", b"application/json"), ("ce_datacontenttype", b"application/json")],
        [("ce_datacontenttype", b"application/json"), ("content-type", b"application/json")],
        [("content-type", b"application/json"), ("content-type", b"Application/JSON")],
        [
            ("content-type", b"application/json; charset=utf-8"),
            ("ce_datacontenttype", b"application/json;charset=UTF-8"),
        ],
        [("content-type", b"application/json; charset=UTF-8"), ("ce_datacontenttype", b"application/json")],
        [("content-type", b"application/json"), ("ce_datacontenttype", b'application/json;charset="utf-8"')],
        [
            ("content-type", b"application/json; x=1; y=2"),
            ("ce_datacontenttype", b"application/json; y=2; charset=utf8; x=1"),
        ],
        [("content-type", b""), ("ce_datacontenttype", b"application/json")],
        [("content-type", None), ("content-type", b"application/json")],
    ],
)
def test_a_content_type_may_be_repeated(content_types):
    event = read_event([*without("content-type"), *content_types], b"[1]")
    assert event.is_json
    document = json.loads(event.to_json())
    assert document["datacontenttype"].startswith("application/json")
    assert document["data"] == [1]
    assert event.to_json().count(b'"datacontenttype"') == 1


@pytest.mark.parametrize(
    ("content_types", "named"),
    [
        (
            [("content-type", b"application/json"), ("ce_datacontenttype", b"text/plain")],
            ["'content-type' is 'application/json'", "'ce_datacontenttype' is 'text/plain'"],
        ),
        (
            [("content-type", b"application/json"), ("content-type", b"text/plain")],
            ["'content-type' is 'application/json'", "'content-type' is 'text/plain'"],
        ),
        (
            [("content-type", b"application/json"), ("content-type", b"application/cloudevents+json")],
            ["'application/json'", "'application/cloudevents+json'"],
        ),
        (
            [("content-type", b"application/cloudevents+json"), ("content-type", b"application/json")],
            ["'application/json'", "'application/cloudevents+json'"],
        ),
    ],
)
def test_two_different_content_types_are_rejected_with_names_and_values(content_types, named):
    with pytest.raises(InvalidEvent) as error:
        read_event([*without("content-type"), *content_types], json.dumps(EVENT | {"data": [1]}).encode())
    assert all(text in str(error.value) for text in named)


@pytest.mark.parametrize(
    ("headers", "value", "hint"),
    [
        ([("contentType", b"application/cloudevents+json")], orjson.dumps(EVENT), "content-type"),
        ([("Content-Type", b"application/cloudevents+json")], orjson.dumps(EVENT), "content-type"),
        ([("content_type", b"application/cloudevents+json")], orjson.dumps(EVENT), "content-type"),
        ([("CONTENTTYPE", b"application/json")], b"{}", "content-type"),
        ([("ce-id", b"1"), ("ce-source", b"/s")], b"{}", "ce_id"),
        ([("CE_ID", b"1")], b"{}", "ce_id"),
        ([("cloudEvents:type", b"t")], b"{}", "ce_type"),
        ([*without("ce_id"), ("ce-id", b"1")], b"{}", "ce_id"),
    ],
)
def test_the_reason_suggests_the_right_name_for_a_misnamed_header(headers, value, hint):
    with pytest.raises(InvalidEvent) as error:
        read_event(headers, value)
    misnamed = headers[0][0] if headers[0][0] != "ce_specversion" else "ce-id"
    assert f"the header '{misnamed}' is ignored, did you mean '{hint}'?" in str(error.value)


def test_the_reason_suggests_the_content_type_of_a_structured_event():
    with pytest.raises(InvalidEvent, match="send it with the header 'content-type'"):
        read_event([], orjson.dumps(EVENT))


def test_null_is_absent():
    assert read_event(STRUCTURED, orjson.dumps(EVENT | {"data": [1], "data_base64": None})).data == b"[1]"
    assert read_event(STRUCTURED, orjson.dumps(EVENT | {"data": None, "data_base64": "AA=="})).data == b"\x00"
    assert read_event(STRUCTURED, orjson.dumps(EVENT | {"data_base64": None})).data is None


@pytest.mark.parametrize("empty", [b"", None])
def test_an_empty_attribute_is_absent(empty):
    event = read_event([*BINARY, ("ce_subject", empty), ("ce_partitionkey", empty)], b"[1]")
    assert "subject" not in event.attributes
    assert b"subject" not in event.to_json()
    structured = EVENT | {"subject": None if empty is None else "", "expirytime": ""}
    assert read_event(STRUCTURED, orjson.dumps(structured)).attributes == EVENT


def test_a_reason_is_short_and_printable_for_any_record():
    for headers in (
        [*BINARY, ("ce_" + "\x1b[2J" * 10_000, b"x")],
        [("content-type", b"application/cloudevents+" + b"\x1b" * 10_000)],
        [*BINARY, ("ce_datacontenttype", b"\xe2\x80\xae" * 10_000)],
        [("content\u202etype", b""), ("\x1bcontent-type", b"x")],
    ):
        with pytest.raises(InvalidEvent) as error:
            read_event(headers, b"[1]")
        assert len(str(error.value)) < 500
        assert str(error.value).isprintable()


names = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12).filter(
    lambda name: (
        name
        not in {
            "data",
            "id",
            "source",
            "type",
            "specversion",
            "subject",
            "time",
            "datacontenttype",
            "dataschema",
        }
    )
)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


def sent_attributes(event: CloudEvent) -> dict[str, object]:
    """Return the SDK's attributes without `time`, which the SDK adds to an event that has none."""
    return {name: value for name, value in event.get_attributes().items() if name != "time"}


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
