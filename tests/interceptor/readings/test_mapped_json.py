"""Mapped JSON: flat objects of gateways, and the envelopes of Kafka Connect and Debezium."""

from __future__ import annotations

import json

import pytest

from interceptor.readings.contract import UndecodableRecord
from interceptor.readings.mapped_json import MappedJson

ROW = {"device": "press-04", "line": "assembly-2", "temp": 76.2, "vibration": 0.41, "ts": 1_709_572_232}
AT_NS = 1_709_572_232 * 10**9


def test_the_mapping_names_values_labels_and_time(readings):
    format_ = MappedJson(time="ts", values=["temp", "vibration"], labels=["device"])
    found, skipped = readings(format_, json.dumps(ROW))
    assert found == {"temp device=press-04": [(AT_NS, 76.2)], "vibration device=press-04": [(AT_NS, 0.41)]}
    assert skipped == {}


def test_without_a_mapping_each_number_is_a_value_at_the_records_time(readings):
    found, _ = readings(MappedJson(labels=["device"]), json.dumps(ROW | {"ok": True}))
    assert set(found) == {f"{name} device=press-04" for name in ("temp", "vibration", "ts", "ok")}
    assert found["temp device=press-04"] == [(1_700_000_000_000 * 10**6, 76.2)]


def test_root_is_the_path_through_an_envelope(readings):
    format_ = MappedJson(time="at.ts", values=["v"], root="payload.after")
    envelope = {
        "schema": {},
        "payload": {"op": "c", "after": {"v": "3.5", "at": {"ts": "2024-03-04T17:10:32Z"}}},
    }
    assert readings(format_, json.dumps(envelope)) == ({"v": [(AT_NS, 3.5)]}, {})


def test_each_object_of_a_list_is_a_row(readings):
    format_ = MappedJson(time="ts", values=["temp"])
    found, skipped = readings(format_, json.dumps([ROW, ROW | {"temp": "off"}, ROW | {"temp": None}]))
    assert (found, skipped) == ({"temp": [(AT_NS, 76.2)]}, {"text": 1})


def test_a_deletion_in_an_envelope_is_not_a_mistake(readings):
    value = b'{"payload": {"before": {"v": 1}, "after": null, "op": "d"}}'
    assert readings(MappedJson(root="payload.after"), value) == ({}, {"not-a-number": 1})


def test_elements_of_a_list_that_are_not_objects_are_counted(readings):
    found, skipped = readings(MappedJson(time="ts", values=["temp"]), json.dumps([5, ROW, None]))
    assert (found, skipped) == ({"temp": [(AT_NS, 76.2)]}, {"unsupported": 2})


@pytest.mark.parametrize("values", [(), ("v", "w")])
def test_nan_does_not_cost_the_other_values(readings, values):
    value = b'{"v": NaN, "w": 1.5, "ts": 1709572232}'
    found, skipped = readings(MappedJson(time="ts", values=values), value)
    assert (found, skipped) == ({"w": [(AT_NS, 1.5)]}, {"not-a-number": 1})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"{", "not JSON"),
        (b"7", "no JSON object at payload"),
        (b'{"schema": null}', "no JSON object at payload"),
        (b'{"payload": [7, null]}', "no JSON object at payload"),
        (b'{"payload": {"w": 1}}', "looked for v"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_an_invalid_record_is_rejected_with_a_reason(value, message):
    with pytest.raises(UndecodableRecord, match=message):
        MappedJson(values=["v"], root="payload").decode(value, None, [], 0)


@pytest.mark.parametrize("path", ["a..b", ".a", "a.", ".".join("a" * 20)])
def test_an_invalid_path_is_rejected(path):
    with pytest.raises(ValueError, match="is not a valid path"):
        MappedJson(root=path)
