"""Reasons about attributes: hints for misnamed headers, short and printable."""

import orjson
import pytest

from interceptor.cloudevents.reader import read_event
from interceptor.errors import InvalidEvent
from tests.interceptor.cloudevents.records import BINARY, EVENT, without


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
