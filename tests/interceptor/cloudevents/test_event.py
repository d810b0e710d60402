"""An event: its attributes as texts, its size, and its JSON."""

from __future__ import annotations

import json

import pytest

from interceptor.cloudevents.event import Attribute, Event
from interceptor.cloudevents.reader import read_event
from tests.interceptor.cloudevents.records import BINARY, EVENT, STRUCTURED


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (True, "true"), (False, "false"), (-5, "-5")])
def test_an_attribute_as_a_text_has_the_canonical_form(value: Attribute, text: str) -> None:
    event = read_event(STRUCTURED, json.dumps(EVENT | {"x": value}).encode())
    assert event.attributes["x"] == value
    assert event.text("x") == text


def test_an_absent_attribute_has_no_text() -> None:
    assert read_event(BINARY, b"[1]").text("subject") is None


@pytest.mark.parametrize(("value", "size"), [(b"[1, 2]", 6), (None, 0)])
def test_the_size_is_that_of_the_data(value: bytes | None, size: int) -> None:
    assert read_event(BINARY, value).size == size


@pytest.mark.parametrize(
    ("data", "is_json", "members"),
    [
        (b"[1]", True, {"data": [1]}),
        (b"\x00\xff", False, {"data_base64": "AP8="}),
        (b"", False, {"data_base64": ""}),
        (None, False, {}),
    ],
)
def test_data_is_a_member_of_the_json_or_base64(
    data: bytes | None, is_json: bool, members: dict[str, object]
) -> None:
    event = Event({"id": "1"}, data, is_json, [b'"id":"1"'])
    assert json.loads(event.to_json()) == {"id": "1", **members}
