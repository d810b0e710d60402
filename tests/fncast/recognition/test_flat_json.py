"""Where time, values and labels are in JSON of shapes that producers use."""

from __future__ import annotations

from typing import Any

import pytest

from fncast.recognition.flat_json import propose_mapping
from tests.fncast.recognition.samples import AT_S, gateway, record, records


def options(make: Any, count: int = 20, **more: Any) -> dict[str, Any]:
    mapping = propose_mapping([record(make(number), number, **more) for number in range(count)])
    assert mapping is not None
    return mapping.options()


def test_a_gateways_object_has_time_values_and_labels():
    mapping = propose_mapping(records(gateway))
    assert mapping is not None
    assert mapping.options() == {
        "time": "ts",
        "time_unit": "s",
        "values": ["temp", "vibration"],
        "labels": ["device", "line"],
    }
    assert mapping.left_out == {"status": "it changes while the series continues"}


@pytest.mark.parametrize(
    ("name", "time", "unit"),
    [
        ("timestamp", lambda s: s * 1000 + 5, "ms"),
        ("event_time", lambda s: s * 10**6, "us"),
        ("t", lambda s: s * 10**9, "ns"),
        ("createdAt", lambda s: "2023-11-14T22:15:23+01:00", ""),
        ("x", lambda s: s, "s"),  # only its size and the record's timestamp show that it is a time
    ],
)
def test_the_unit_of_the_time_is_recognised(name, time, unit):
    found = options(lambda number: {"v": number, name: time(AT_S + 10 * number)})
    assert (found.get("time"), found.get("time_unit", "")) == (name, unit)
    assert found["values"] == ["v"]


def test_without_a_time_the_records_timestamp_counts():
    assert options(lambda number: {"v": number, "uptime": 10 * number}) == {"values": ["v", "uptime"]}


def test_nested_members_are_addressed_by_path():
    found = options(
        lambda number: {
            "device": {"id": 7, "site": "north"},
            "data": {"temp": 1.5},
            "meta": {"ts": AT_S + number},
        }
    )
    assert found == {
        "time": "meta.ts",
        "time_unit": "s",
        "values": ["data.temp"],
        "labels": ["device.id", "device.site"],
    }


@pytest.mark.parametrize(
    ("wrap", "root"),
    [
        (
            lambda row: {"schema": {}, "payload": {"before": None, "after": row, "op": "c", "ts_ms": 1}},
            "payload.after",
        ),
        (lambda row: {"before": None, "after": row, "op": "c", "ts_ms": AT_S * 1000}, "after"),
        (lambda row: {"schema": {"type": "struct"}, "payload": row}, "payload"),
    ],
)
def test_envelopes_of_connect_and_debezium_are_opened(wrap, root):
    found = options(lambda number: wrap({"sensor_id": 3, "temp": 1.0 + number}))
    assert found == {"root": root, "values": ["temp"], "labels": ["sensor_id"]}


def test_numbers_in_text_are_values_where_the_name_says_so():
    assert options(lambda number: {"sensor": "a", "value": f"{number}.5"}) == {
        "values": ["value"],
        "labels": ["sensor"],
    }


def test_a_name_with_a_dot_is_left_out():
    assert options(lambda number: {"a.b": 1, "c": 2})["values"] == ["c"]


@pytest.mark.parametrize("value", [{}, {"a": "b"}, {"ts": AT_S}, [], {"a": [1, 2]}, 5, "x"])
def test_nothing_is_proposed_without_a_number_to_forecast(value):
    assert propose_mapping([record(value)]) is None
