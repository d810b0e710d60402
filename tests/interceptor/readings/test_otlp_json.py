"""The JSON form of OTLP: numbers as strings, kinds, and what is skipped or rejected."""

from __future__ import annotations

import json

import pytest

from interceptor.readings.contract import Kind, UndecodableRecord
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
    assert OtlpJson().series(OtlpJson().decode(value, None, [], 0).keys[0]).kind is Kind.DELTA


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
