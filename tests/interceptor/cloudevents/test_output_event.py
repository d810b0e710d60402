"""The event to publish: id, inherited attributes and value."""

import uuid

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.cloudevents.answers import Output, decode
from interceptor.cloudevents.output_event import (
    NAMESPACE,
    SharedOutput,
    _recurring_headers,
    output_headers,
    output_id,
    to_output_event,
)
from interceptor.cloudevents.reader import read_event
from interceptor.errors import RetriableError
from interceptor.outcome import OutputEvent
from tests.interceptor.deliveries import new_delivery, new_output


def published(output: dict[str, object], index: int = 0, **extensions: str) -> OutputEvent:
    """Return the event to publish for an output, whose input has these extensions."""
    (decoded,) = decode(orjson.dumps([output]))
    return to_output_event(new_delivery("a", **extensions).opened, decoded, "forecast", index)


def test_an_output_inherits_attributes_of_its_input():
    output = new_output(
        "a", modelname="forecast", modelversion=3, extra=True, data={"values": [1]}, subject="replaced"
    )
    event = published(output, subject="cpu", partitionkey="cpu", traceparent="00-1-2-01")
    assert dict(event.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": output_id("/in", "a", "forecast", 0).encode(),
        "ce_source": b"/f",
        "ce_type": b"io.fncast.forecast.v1",
        "ce_causationid": b"a",
        "ce_causationsource": b"/in",
        "ce_originid": b"o",
        "ce_subject": b"cpu",
        "ce_partitionkey": b"cpu",
        "ce_traceparent": b"00-1-2-01",
        "ce_modelname": b"forecast",
        "ce_modelversion": b"3",
        "ce_extra": b"true",
        "content-type": b"application/json",
    }
    assert event.value == b'{"values":[1]}'


@pytest.mark.parametrize(
    ("members", "value"),
    [
        ({"datacontenttype": "text/plain", "data": "é\n"}, "é\n"),
        ({"datacontenttype": "text/plain", "data": [1]}, "[1]"),
        ({"datacontenttype": "application/json", "data": "é"}, '"é"'),
        ({"data": "é"}, '"é"'),
    ],
)
def test_text_data_is_published_as_its_content_type_says(members, value):
    assert published(new_output("a", **members)).value.decode() == value


def test_an_output_without_data_is_published_as_kafkas_null():
    event = published(new_output("a"))
    assert event.value is None
    assert "content-type" not in dict(event.headers)


@pytest.mark.parametrize(
    ("members", "value"),
    [
        ({"data": None, "data_base64": "AP8="}, b"\x00\xff"),
        ({"data": [1], "data_base64": None}, b"[1]"),
        ({"data": None}, b"null"),
    ],
)
def test_null_beside_data_is_absent(members, value):
    assert published(new_output("a", **members)).value == value


def test_data_and_data_base64_together_are_invalid():
    with pytest.raises(RetriableError, match="both data and data_base64"):
        published(new_output("a", data=[1], data_base64="AP8="))


def test_an_empty_attribute_of_an_output_is_absent():
    names = [
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
        "modelname",
        "partitionkey",
        "traceparent",
        "x",
    ]
    headers = dict(published(new_output("a", data=[1], **dict.fromkeys(names, ""))).headers)
    assert headers["content-type"] == b"application/json"
    assert b"" not in headers.values()


def test_a_reserved_attribute_of_an_output_is_replaced():
    """For example, a function may return attributes that an earlier consumer published."""
    event = published(new_output("a", originid="older"))
    names = [name for name, _ in event.headers]
    assert len(names) == len(set(names))
    assert dict(event.headers)["ce_originid"] == b"o"


@given(source=st.text(), id_=st.text(), route=st.text(), index=st.integers(0, 100))
def test_ids_are_uuid5_of_the_json_array(source, id_, route, index):
    try:
        name = orjson.dumps([source, id_, route, index])
    except TypeError:  # a lone surrogate, which no event contains
        return
    expected = uuid.uuid5(NAMESPACE, name.decode())
    assert output_id(source, id_, route, index) == str(expected)


@pytest.mark.parametrize(
    "extensions", [{}, {"subject": "cpu"}, {"subject": "cpu", "traceparent": "00-1-2-01"}]
)
def test_an_output_that_answers_many_events_gives_each_the_same_headers_as_alone(extensions):
    output = Output(
        "", "/f", "1.0", "io.fncast.forecast.v1", datacontenttype="application/json", modelname="m"
    )
    shared = SharedOutput(output, "forecast")
    for id_ in ("a", "b"):
        event = new_delivery(id_, **extensions).opened
        assert shared.headers(event) == output_headers(event, output, "forecast", 0)


def test_an_inherited_boolean_has_the_canonical_form_of_cloudevents():
    (decoded,) = decode(orjson.dumps([new_output("a", data=1)]))
    value = b'{"specversion":"1.0","id":"a","source":"/in","type":"t","subject":true}'
    event = read_event([("content-type", b"application/cloudevents+json")], value)
    assert dict(output_headers(event, decoded, "forecast", 0))["ce_subject"] == b"true"
    assert dict(SharedOutput(decoded, "forecast").headers(event))["ce_subject"] == b"true"


def test_binary_data_beside_null_data_is_not_declared_as_json():
    event = published(new_output("a", data=None, data_base64="AP8="))
    assert event.value == b"\x00\xff"
    assert "content-type" not in dict(event.headers)


def test_a_long_source_is_not_kept_in_memory():
    before = _recurring_headers.cache_info().currsize
    (decoded,) = decode(orjson.dumps([new_output("a", data=1)]))
    source = "/" + "x" * 100_000
    names = {"ce_specversion": "1.0", "ce_id": "a", "ce_type": "t", "ce_source": source}
    event = read_event([(name, text.encode()) for name, text in names.items()], b"1")
    headers = dict(output_headers(event, decoded, "forecast", 0))
    assert headers["ce_causationsource"] == source.encode()
    assert _recurring_headers.cache_info().currsize == before
