"""JSON by mapping: gateways' flat objects, and the envelopes of Kafka Connect and Debezium."""

from __future__ import annotations

import json

import pytest

from interceptor.readings.contract import UndecodableRecord
from interceptor.readings.mapped_json import MappedJson

ROW = {"device": "press-04", "line": "assembly-2", "temp": 76.2, "vibration": 0.41, "ts": 1_709_572_232}
AT_NS = 1_709_572_232 * 10**9


def test_named_values_labels_and_time(readings):
    format_ = MappedJson(time="ts", values=["temp", "vibration"], labels=["device"])
    found, skipped = readings(format_, json.dumps(ROW))
    assert found == {"temp device=press-04": [(AT_NS, 76.2)], "vibration device=press-04": [(AT_NS, 0.41)]}
    assert skipped == {}


def test_without_names_each_number_is_a_value_and_the_record_has_the_time(readings):
    found, _ = readings(MappedJson(labels=["device"]), json.dumps(ROW | {"ok": True}))
    assert set(found) == {f"{name} device=press-04" for name in ("temp", "vibration", "ts", "ok")}
    assert found["temp device=press-04"] == [(1_700_000_000_000 * 10**6, 76.2)]


def test_an_envelope_is_opened_by_root(readings):
    format_ = MappedJson(time="at.ts", values=["v"], root="payload.after")
    envelope = {
        "schema": {},
        "payload": {"op": "c", "after": {"v": "3.5", "at": {"ts": "2024-03-04T17:10:32Z"}}},
    }
    assert readings(format_, json.dumps(envelope)) == ({"v": [(AT_NS, 3.5)]}, {})


def test_a_list_of_objects(readings):
    format_ = MappedJson(time="ts", values=["temp"])
    found, skipped = readings(format_, json.dumps([ROW, ROW | {"temp": "off"}, ROW | {"temp": None}]))
    assert (found, skipped) == ({"temp": [(AT_NS, 76.2)]}, {"text": 1})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"{", "not JSON"),
        (b"7", "no JSON object at payload"),
        (b'{"payload": null}', "no JSON object at payload"),
        (b'{"payload": {"w": 1}}', "looked for v"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(value, message):
    with pytest.raises(UndecodableRecord, match=message):
        MappedJson(values=["v"], root="payload").decode(value, None, [], 0)


@pytest.mark.parametrize("path", ["a..b", ".a", "a.", ".".join("a" * 20)])
def test_a_path_that_leads_nowhere_is_refused(path):
    with pytest.raises(ValueError, match="is not a valid path"):
        MappedJson(root=path)
