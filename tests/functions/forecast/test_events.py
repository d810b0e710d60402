"""Requests as they come: each form of a CloudEvent, and bodies that are none."""

import base64
import json
from typing import Any

import orjson
import pytest

from events import BATCH_TYPE, EVENT_TYPE, UnscorableEvent, read_request
from fncast.series.window_data import InvalidData, read_readings

EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "/a",
    "type": "io.fncast.window.v1",
    "subject": "cpu",
    "data": {"start": "2024-01-01T00:00:00Z", "step_s": 300, "values": [1, 2, None]},
}
BINARY = {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/a",
    "ce-type": "io.fncast.window.v1",
    "ce-subject": "cpu",
}
DATA = orjson.dumps(EVENT["data"])


def document(**changes: Any) -> bytes:
    return orjson.dumps({**EVENT, **changes})


def rejection(body: bytes, headers: dict[str, Any] | None = None) -> str:
    (event,) = read_request(headers or {}, body).events
    assert isinstance(event.data, UnscorableEvent)
    return str(event.data)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (BINARY, DATA),
        ({name: [value, value] for name, value in BINARY.items()}, DATA),  # as through a trigger
        ({**BINARY, "content-type": "text/plain"}, DATA),
        ({"content-type": EVENT_TYPE}, document()),
        ({"content-type": f"{EVENT_TYPE.upper()}; charset=UTF-8"}, document()),
        ({"content-type": "text/plain"}, document()),
        ({"content-type": "application/x-www-form-urlencoded"}, document()),
        ({}, document()),
        ({}, document().replace(b'"data":' + DATA, b'"data_base64":"%b"' % base64.b64encode(DATA))),
        ({}, document(data_base64=None)),
        ({}, document(data=None, data_base64=base64.b64encode(DATA).decode())),
        ({**BINARY, "ce-datacontenttype": "Application/JSON"}, DATA),
    ],
)  # fmt: skip
def test_every_mode_of_an_event_is_read_alike(headers: dict[str, Any], body: bytes) -> None:
    request = read_request(headers, body)
    (event,) = request.events
    assert not request.is_batch
    assert event == read_request({}, document()).events[0]
    assert event.data == EVENT["data"]
    assert json.loads(b"{%b}" % event.members[1:]) == {
        "causationid": "1",
        "causationsource": "/a",
        "subject": "cpu",
    }


@pytest.mark.parametrize("content_type", [BATCH_TYPE, f"{BATCH_TYPE}; charset=utf-8", "text/plain", ""])
def test_a_batch_keeps_its_order(content_type: str) -> None:
    body = orjson.dumps([{**EVENT, "id": str(number)} for number in range(3)])
    request = read_request({"content-type": content_type}, body)
    assert request.is_batch
    assert [json.loads(b"{%b}" % event.members[1:])["causationid"] for event in request.events] == [
        "0",
        "1",
        "2",
    ]
    assert read_request({"content-type": BATCH_TYPE}, b"[]").events == []


def test_binary_headers_are_percent_decoded() -> None:
    (event,) = read_request({**BINARY, "ce-id": "caf%C3%A9%20%22x%22"}, DATA).events
    assert json.loads(b"{%b}" % event.members[1:])["causationid"] == 'café "x"'


@pytest.mark.parametrize(
    ("headers", "body", "error"),
    [
        ({}, b"", "not JSON"),
        ({}, b"hello", "not JSON"),
        ({}, b"\xff\xfe", "not JSON"),
        ({}, b"[" * 100_000, "not JSON"),
        ({}, b"{}", "not a CloudEvent"),
        ({}, DATA, "not a CloudEvent"),
        ({"content-type": EVENT_TYPE}, b"{}", "id, source, specversion, type are missing or empty"),
        ({"content-type": BATCH_TYPE}, b"[{}]", "id, source, specversion, type are missing or empty"),
        ({}, b'{"id":"1","source":"/a"}', "specversion, type are missing or empty"),
        ({}, b"[1,2,3]", "not a CloudEvent"),
        ({"content-type": BATCH_TYPE}, b"{}", "not a JSON array"),
        ({"content-type": BATCH_TYPE}, b"[1", "not JSON"),
        ({}, document(id=""), "id is missing or empty"),
        ({}, document(id=7), "id is not a string"),
        ({}, document(source=None), "source is missing"),
        ({}, document(subject=1), "subject is not a string"),
        ({}, document().replace(b'"cpu"', b'"\\ud800"'), "subject is not valid Unicode"),
        ({}, document(type=""), "type is missing"),
        ({}, document(specversion="0.3"), "specversion is not 1.0"),
        ({}, document(data=None), "no data"),
        ({}, document(data=None, data_base64="!"), "data_base64 is not"),
        ({}, document(data=None, data_base64=1), "data_base64 is not"),
        ({}, document(data=None, data_base64="eA=="), "the event's data is not JSON"),
        ({}, document(data_base64="MQ=="), "both data and data_base64"),
        ({**BINARY, "ce-subject": ["a", "b"]}, DATA, "'ce-subject' is sent twice"),
        (
            {**BINARY, "ce-datacontenttype": "text/\x1bplain"},
            DATA,
            "content-type is 'application/json', ce-datacontenttype is 'text/�lain'",
        ),
        (BINARY, b"", "no data"),
        (BINARY, b"1 2", "data is not JSON"),
        ({**BINARY, "ce-specversion": "2.0"}, DATA, "specversion"),
    ],
)
def test_an_invalid_event_is_rejected(headers: dict[str, str], body: bytes, error: str) -> None:
    assert error in rejection(body, headers)


def test_a_number_beyond_float64_rejects_only_its_event() -> None:
    body = b"[%b,%b]" % (document(), document(id="2").replace(b"null", b"1e400"))
    good, bad = read_request({"content-type": BATCH_TYPE}, body).events
    assert good.data == EVENT["data"]
    assert bad.data["values"][2] == float("inf")  # type: ignore[index]


def test_readings_have_the_start_after_the_last_one() -> None:
    readings = read_readings({**EVENT["data"], "unit": '"%"'})  # type: ignore[dict-item]
    assert json.loads(b"{%b%b}" % (readings.grid_json[:-1], readings.unit)) == {
        "start": "2024-01-01T00:15:00Z",
        "step_s": 300,
        "unit": '"%"',
    }


@pytest.mark.parametrize(
    ("start", "step", "count", "following", "members"),
    [
        ("2024-01-31", {"step": "P1M"}, 1, "2024-02-29", {"step": "P1M"}),
        ("2023-02-28", {"step": "P1M"}, 1, "2023-03-31", {"step": "P1M"}),
        ("2023-02-28", {"step": "P1M"}, 60, "2028-02-29", {"step": "P1M"}),
        ("2022-09-30", {"step": "P3M"}, 48, "2034-09-30", {"step": "P3M"}),
        ("2022-11-30", {"step": "P1M"}, 1, "2022-12-31", {"step": "P1M"}),
        ("2006-07-01", {"step": "P3M"}, 78, "2026-01-01", {"step": "P3M"}),
        ("2024-06-30", {"step": "P6M"}, 3, "2025-12-31", {"step": "P6M"}),
        ("2024-02-29", {"step": "P12M"}, 4, "2028-02-29", {"step": "P1Y"}),
        ("2024-01-30", {"step": "P1M"}, 1, "2024-02-29", {"step": "P1M", "step_day": 30}),
        ("2024-02-29", {"step": "P1M", "step_day": 30}, 1, "2024-03-30", {"step": "P1M"}),
        ("2024-02-29", {"step": "P1M", "step_day": 30}, 2, "2024-04-30", {"step": "P1M", "step_day": 30}),
        ("2024-01-28", {"step": "P1M"}, 1, "2024-02-28", {"step": "P1M"}),
        ("2023-01-28", {"step": "P1M"}, 1, "2023-02-28", {"step": "P1M", "step_day": 28}),
        ("2024-03-30", {"step": "P7D"}, 1, "2024-04-06", {"step": "P7D"}),
        ("2024-03-30", {"step": "PT24H"}, 2, "2024-04-01", {"step": "P1D"}),
        ("2024-03-30", {"step_s": 86400}, 2, "2024-04-01", {"step_s": 86400}),
    ],
)
def test_the_next_start_follows_any_step(
    start: str, step: dict[str, Any], count: int, following: str, members: dict[str, Any]
) -> None:
    """Decoded as a Window or from parsed JSON."""
    data = {"start": f"{start}T00:00:00Z", **step, "values": [1.0] * count}
    expected = {"start": f"{following}T00:00:00Z", **members}
    [event] = read_request({"content-type": BATCH_TYPE}, b"[%b]" % document(data=data)).events
    for each in (event.data, data):
        assert json.loads(b"{%b}" % read_readings(each).grid_json[:-1]) == expected


def test_months_are_counted_in_the_offset_of_the_start() -> None:
    data = {"start": "2024-01-31T00:00:00+02:00", "step": "P1M", "values": [1]}
    assert read_readings(data).grid_json == b'"start":"2024-02-29T00:00:00+02:00","step":"P1M",'
    data = {"start": "2024-01-31T00:00:00+02:00", "step_s": 60, "values": [1]}
    assert read_readings(data).grid_json == b'"start":"2024-01-30T22:01:00Z","step_s":60,'


def test_limits_are_read() -> None:
    def limits(**members: Any) -> tuple[float | None, float | None]:
        data = {**EVENT["data"], **members}  # type: ignore[dict-item]
        body = b"[%b]" % document(data=data)
        [event] = read_request({"content-type": BATCH_TYPE}, body).events
        decoded, parsed = read_readings(event.data), read_readings(data)
        assert (decoded.low, decoded.high) == (parsed.low, parsed.high)
        return decoded.low, decoded.high

    assert limits() == (None, None)
    assert limits(min=-5, max=100) == (-5, 100)
    assert limits(max=100) == (None, 100)
    assert limits(unit="°C") == (float("-inf"), None)
    assert limits(unit="°C", max=90.5) == (float("-inf"), 90.5)
    assert limits(unit="°C", min=0) == (0, None)
    assert limits(unit="%") == (None, None)


@pytest.mark.parametrize("data", [DATA.decode(), " [1, 2]", orjson.dumps(DATA.decode()).decode()])
def test_the_error_for_a_string_with_json_has_a_hint(data: str) -> None:
    for request in (read_request({}, document(data=data)), read_request(BINARY, orjson.dumps(data))):
        (event,) = request.events
        with pytest.raises(
            InvalidData, match=r"data must be an object|holds JSON: send the JSON itself"
        ) as caught:
            read_readings(event.data)
        assert ("holds JSON" in str(caught.value)) == (data[0] in " {")


def test_an_empty_subject_is_left_out() -> None:
    (event,) = read_request({}, document(subject="")).events
    assert b"subject" not in event.members
    (event,) = read_request({**BINARY, "ce-subject": ""}, DATA).events
    assert b"subject" not in event.members
    (event,) = read_request({"content-type": BATCH_TYPE}, b"[%b]" % document(subject="")).events
    assert b"subject" not in event.members
