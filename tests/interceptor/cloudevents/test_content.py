"""Data and its content type: what is JSON, and which types contradict each other."""

import json

import pytest

from interceptor.cloudevents.reader import read_event
from interceptor.errors import InvalidEvent
from tests.interceptor.cloudevents.records import BINARY, EVENT, without


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
