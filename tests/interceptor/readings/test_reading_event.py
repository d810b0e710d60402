"""Readings in CloudEvents."""

from __future__ import annotations

import json

import pytest

from interceptor.readings.contract import UndecodableRecord
from interceptor.readings.reading_event import CloudEventsReadings

AT_NS = 1_700_000_123 * 10**9
HEADERS = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"1"),
    ("ce_source", b"/plant"),
    ("ce_type", b"io.fncast.reading.v1"),
    ("content-type", b"application/json"),
]
ONE = [*HEADERS, ("ce_subject", b"boiler"), ("ce_time", b"2023-11-14T22:15:23Z")]


def test_an_event_with_one_reading_names_its_series_in_the_subject(readings):
    format_ = CloudEventsReadings()
    assert readings(format_, b'{"value": 21.5, "unit": "Cel"}', headers=ONE) == (
        {"boiler": [(AT_NS, 21.5)]},
        {},
    )
    assert format_.series(("boiler", "Cel")).unit == "Cel"


def test_a_unit_of_null_is_none_as_in_windows(readings):
    format_ = CloudEventsReadings()
    found = readings(format_, b'{"value": 21.5, "unit": null}', headers=ONE)
    assert found == ({"boiler": [(AT_NS, 21.5)]}, {})
    row = {"series": "a", "time": "2023-11-14T22:15:23Z", "value": 1, "unit": None}
    found = readings(format_, json.dumps({"readings": [row]}), headers=HEADERS)
    assert found == ({"a": [(AT_NS, 1.0)]}, {})
    assert format_.series(("a", "")).unit == ""


def test_a_bad_reading_does_not_affect_others(readings):
    rows = [
        {"series": "a", "time": "2023-11-14T22:15:23Z", "value": 1},
        {"series": "b", "time": "soon", "value": 1},
        {"series": "", "time": "2023-11-14T22:15:23Z", "value": 1},
        {"series": "c", "time": "2023-11-14T22:15:23Z", "value": "on"},
        {"series": 5},
        {"series": "d", "time": "2023-11-14T22:15:24Z", "value": 2},
    ]
    found, skipped = readings(CloudEventsReadings(), json.dumps({"readings": rows}), headers=HEADERS)
    assert found == {"a": [(AT_NS, 1.0)], "d": [(AT_NS + 10**9, 2.0)]}
    assert skipped == {"no-time": 1, "no-series": 1, "text": 1, "unsupported": 1}


@pytest.mark.parametrize(
    ("headers", "value", "message"),
    [
        ([], b"{}", "CloudEvent"),
        ([*HEADERS[:3], ("ce_type", b"other")], b"{}", "type is not"),
        (ONE, b"[]", "not a reading"),
        (ONE, b"{}x", "JSON"),
    ],
)
def test_an_invalid_record_is_rejected_with_a_reason(headers, value, message):
    with pytest.raises(UndecodableRecord, match=message):
        CloudEventsReadings().decode(value, None, headers, 0)
