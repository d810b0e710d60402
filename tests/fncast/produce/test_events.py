from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from cloudevents.core.bindings.kafka import from_binary_event, from_structured_event
from hypothesis import given
from hypothesis import strategies as st

from fncast.produce.events import InvalidEventText, build_window_event, parse_event, to_kafka_record
from fncast.produce.windows import ProducedWindow
from fncast.series.step import Step

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
DATA = {"start": "2026-01-01T00:00:00Z", "step_s": 300, "values": [1.5, None, 3.0], "unit": "%"}
EVENT: dict[str, Any] = {"specversion": "1.0", "id": "7", "source": "/meters", "type": "reading"}


def window(**changes: Any) -> ProducedWindow:
    return ProducedWindow(
        **{
            "series": "cpu",
            "index": 2,
            "start": START,
            "end": END,
            "step": Step.seconds(300),
            "values": [1.5, None, 3.0],
            "unit": "%",
        }
        | changes
    )


def test_a_window_becomes_a_binary_record() -> None:
    found = to_kafka_record(
        build_window_event(window(), source="fncast/produce/cpu.csv", destination="forecast")
    )
    assert found.key == "cpu"
    assert found.headers == {
        "ce_specversion": b"1.0",
        "ce_id": b"cpu-3-2",
        "ce_source": b"fncast/produce/cpu.csv",
        "ce_type": b"io.fncast.window.v1",
        "ce_subject": b"cpu",
        "ce_time": b"2026-01-01T00:10:00Z",
        "content-type": b"application/json",
        "ce_destination": b"forecast",
        "ce_partitionkey": b"cpu",
    }
    assert orjson.loads(found.value) == DATA


def test_a_window_has_its_calendar_step_and_maximum() -> None:
    """Without `step_day`, the start in February would mean the end of each month, not the 30th."""
    monthly = window(step=Step.of_months(3, 30), start=datetime(2026, 2, 28, tzinfo=UTC), highest=100.0)
    data = build_window_event(monthly, source="s", destination="d").get_data()
    assert data == {"start": "2026-02-28T00:00:00Z", "step": "P3M", "step_day": 30, "values": DATA["values"],
        "unit": "%", "max": 100.0}  # fmt: skip
    berlin = window(step=Step.of_months(1), start=datetime(2026, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")))
    data = build_window_event(berlin, source="s", destination="d").get_data()
    assert isinstance(data, dict)
    assert data["start"] == "2026-07-01T00:00:00+02:00"


def test_a_window_becomes_a_structured_record() -> None:
    found = to_kafka_record(
        build_window_event(window(), source="fncast/demo/host", destination="forecast"), "structured"
    )
    assert found.key == "cpu"
    assert found.headers == {"content-type": b"application/cloudevents+json"}
    document = orjson.loads(found.value)
    assert document["data"] == DATA
    assert document["time"] == "2026-01-01T00:10:00Z"
    assert document["destination"] == "forecast"


def test_a_window_may_have_a_calendar_step_and_no_unit() -> None:
    event = build_window_event(window(step=Step.calendar("P1M"), unit=None), source="s", destination="d")
    assert event.get_data() == {"start": DATA["start"], "step": "P1M", "values": DATA["values"]}


def test_ids_are_equal_only_for_equal_windows() -> None:
    def id_of(changes: dict[str, Any], run: str = "") -> str:
        return build_window_event(window(**changes), source="s", destination="d", run=run).get_id()

    assert id_of({}) == id_of({})
    others = [({}, ""), ({}, "a"), ({"index": 3}, ""), ({"series": "disk"}, ""), ({"values": [1.0, 2.0]}, "")]
    assert len({id_of(changes, run) for changes, run in others}) == len(others)


def test_an_event_from_json_keeps_its_attributes() -> None:
    event = parse_event(
        orjson.dumps(EVENT | {"destination": "x", "number": 3, "flag": True, "data": [1, None]})
    )
    assert event.get_time() is None
    found = to_kafka_record(event)
    assert found.key is None
    assert found.value == b"[1,null]"
    assert found.headers["content-type"] == b"application/json"
    assert (found.headers["ce_number"], found.headers["ce_flag"]) == (b"3", b"true")
    assert (found.headers["ce_destination"], "ce_time" in found.headers) == (b"x", False)


def test_the_default_destination_applies_to_events_without_one() -> None:
    assert parse_event(orjson.dumps(EVENT), "d").get_extension("destination") == "d"
    assert parse_event(orjson.dumps(EVENT | {"destination": "x"}), "d").get_extension("destination") == "x"


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_bytes_are_data_in_both_modes(mode: Any) -> None:
    raw = b"\x00\xffraw"
    document = EVENT | {
        "datacontenttype": "application/octet-stream",
        "data_base64": base64.b64encode(raw).decode(),
    }
    found = to_kafka_record(parse_event(orjson.dumps(document)), mode)
    if mode == "binary":
        assert found.value == raw
    else:
        assert base64.b64decode(orjson.loads(found.value)["data_base64"]) == raw


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"data": NaN}', "not JSON"),
        (b"\xff", "not JSON"),
        (b"[1]", "a CloudEvent must be a JSON object, not an array"),
        (b"null", "must be a JSON object, not null"),
        (b'{"id": "1", "source": "s"}', "specversion and type missing"),
        (orjson.dumps(EVENT | {"specversion": "0.2"}), "specversion"),
        (orjson.dumps(EVENT | {"id": 7}), "id"),
        (orjson.dumps(EVENT | {"Bad_Name": "x"}), "Bad_Name"),
        (orjson.dumps(EVENT | {"extension": {"a": 1}}), "attribute extension is an object"),
        (orjson.dumps(EVENT | {"time": "yesterday"}), "yesterday"),
        (orjson.dumps(EVENT | {"data_base64": "%"}), "not Base64"),
        (orjson.dumps(EVENT | {"data_base64": "AA==", "data": 1}), "both data and data_base64"),
    ],
)
def test_the_error_names_the_reason(text: bytes, reason: str) -> None:
    with pytest.raises(InvalidEventText, match=reason):
        parse_event(text)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_an_event_without_data_is_a_record_without_a_value() -> None:
    event = parse_event(orjson.dumps(EVENT | {"data_base64": None, "subject": "", "time": None}))
    assert to_kafka_record(event, "binary").value is None
    assert not orjson.loads(to_kafka_record(event, "structured").value).keys() & {"data", "subject", "time"}


@given(data=JSON)
def test_any_json_data_is_kept_in_both_modes(data: Any) -> None:
    event = parse_event(orjson.dumps(EVENT | {"data": data}))
    binary, structured = to_kafka_record(event), to_kafka_record(event, "structured")
    if data is None:
        assert binary.value is None
        assert "data" not in orjson.loads(structured.value)
        binary = replace(binary, value=b"")  # the SDK cannot read null
    else:
        assert orjson.loads(binary.value) == data
        assert orjson.loads(structured.value)["data"] == data
    assert from_binary_event(binary).get_id() == from_structured_event(structured).get_id() == "7"
