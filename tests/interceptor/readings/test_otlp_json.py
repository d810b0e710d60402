"""The JSON form of OTLP: numbers as strings, kinds, and what is skipped or rejected."""

from __future__ import annotations

import json

import pytest

from interceptor.readings.contract import MAX_LABELS, MetricKind, UndecodableRecord
from interceptor.readings.otlp import OtlpJson


def point_json(**point: object) -> bytes:
    metric = {"name": "m", "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]}}
    return json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}).encode()


def test_64_bit_integers_in_json_are_strings_or_numbers(readings):
    for raw in ("1700000123000000000", 1_700_000_123_000_000_000):
        found, _ = readings(OtlpJson(), point_json(asInt=str(2**40), timeUnixNano=raw))
        assert found == {"m": [(1_700_000_123_000_000_000, float(2**40))]}


def test_delta_temporality_is_recognised():
    value = point_json(asInt="1", timeUnixNano="1")
    assert OtlpJson().series(OtlpJson().decode(value, None, [], 0).keys[0]).kind is MetricKind.DELTA


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ({"asDouble": "NaN", "timeUnixNano": "1"}, "not-a-number"),
        ({"asDouble": "Infinity", "timeUnixNano": "1"}, "not-a-number"),
        ({"timeUnixNano": "1"}, "not-a-number"),
        ({"asDouble": 1.0}, "no-time"),
        ({"asDouble": 1.0, "timeUnixNano": "0"}, "no-time"),
        ({"asDouble": 1.0, "timeUnixNano": "1", "flags": 1}, "stale"),
        ({"asInt": "9" * 400, "timeUnixNano": "1"}, "text"),
    ],
)
def test_a_point_without_value_or_time_is_skipped_and_counted(readings, point, reason):
    assert readings(OtlpJson(), point_json(**point)) == ({}, {reason: 1})


@pytest.mark.parametrize("value", [b"{}", b"[]", b"\xff\xff", b"[" * 100_000, b'{"resourceMetrics": 1}'])
def test_invalid_json_is_rejected_with_a_reason(value):
    with pytest.raises(UndecodableRecord, match="not OTLP metrics"):
        OtlpJson().decode(value, None, [], 0)


def with_resource(name: str, resource: dict[str, str], attributes: dict[str, str]) -> bytes:
    def pairs(labels: dict[str, str]) -> list[object]:
        return [{"key": label, "value": {"stringValue": text}} for label, text in labels.items()]

    point = {"asInt": "1", "timeUnixNano": "1", "attributes": pairs(attributes)}
    metric = {"name": name, "gauge": {"dataPoints": [point]}}
    resource_metrics = {"resource": {"attributes": pairs(resource)}, "scopeMetrics": [{"metrics": [metric]}]}
    return json.dumps({"resourceMetrics": [resource_metrics]}).encode()


def test_attributes_of_points_always_distinguish_series(readings):
    value = with_resource("m", {"process.pid": "7"}, {"process.cpu.state": "user"})
    assert list(readings(OtlpJson(), value)[0]) == ["m process.cpu.state=user"]


def test_metrics_about_processes_are_named_by_process(readings):
    resource = {"process.pid": "7", "process.executable.name": "sh", "process.command_line": "sh -c x"}
    value = with_resource("process.memory.usage", resource, {})
    assert list(readings(OtlpJson(), value)[0]) == [
        "process.memory.usage process.executable.name=sh process.pid=7"
    ]


def test_a_resource_with_too_many_attributes_is_skipped(readings):
    value = with_resource("m", {f"a{number}": "" for number in range(MAX_LABELS + 1)}, {})
    assert readings(OtlpJson(), value) == ({}, {"no-series": 1})


@pytest.mark.parametrize(
    ("wrong", "skipped"),
    [
        ({"attributes": 5}, {"unsupported": 1}),
        ({"asDouble": float("inf"), "timeUnixNano": "1"}, {"not-a-number": 1}),  # not valid JSON
        ({"asInt": "1", "timeUnixNano": "1", "flags": "1"}, {"stale": 1}),
        (7, {"unsupported": 1}),
    ],
)
def test_a_wrong_point_in_json_leaves_the_others(readings, wrong, skipped):
    points = [wrong, {"asInt": "2", "timeUnixNano": "5", "flags": None}]
    metrics = [{"name": "m", "unit": None, "gauge": {"dataPoints": points}}]
    value = json.dumps({"resourceMetrics": [{"resource": None, "scopeMetrics": [{"metrics": metrics}]}]})
    assert readings(OtlpJson(), value) == ({"m": [(5, 2.0)]}, skipped)


def test_a_wrong_metric_in_json_leaves_the_others(readings):
    gauge = {"dataPoints": [{"asInt": "2", "timeUnixNano": "5"}]}
    metrics = [{"name": 5, "gauge": gauge}, {"name": "m", "gauge": gauge}]
    value = json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]})
    assert readings(OtlpJson(), value) == ({"m": [(5, 2.0)]}, {"unsupported": 1})


def test_a_sum_of_a_summary_that_json_leaves_out_is_0(readings):
    metrics = [{"name": "m", "summary": {"dataPoints": [{"timeUnixNano": "5", "count": "3"}]}}]
    value = json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]})
    assert readings(OtlpJson(), value) == ({"m.count": [(5, 3.0)], "m.sum": [(5, 0.0)]}, {})
