"""Times of readings: numbers in a guessed or a set unit, and texts."""

from __future__ import annotations

import json

import pytest

from interceptor.readings.telegraf import TelegrafJson

AT_NS = 1_700_000_123 * 10**9


@pytest.mark.parametrize(
    ("timestamp", "unit", "expected_ns"),
    [
        (1_700_000_123_456, "auto", 1_700_000_123_456 * 10**6),
        (1_700_000_123_456_789, "auto", 1_700_000_123_456_789 * 10**3),
        (1_700_000_123_456_789_012, "auto", 1_700_000_123_456_789_012),
        (1_700_000_123.5, "auto", 1_700_000_123_500_000_000),
        (1_700, "ms", 1_700 * 10**6),
        ("2023-11-14T22:15:23Z", "auto", AT_NS),
    ],
)
def test_the_unit_of_the_timestamp_is_guessed_or_set(readings, timestamp, unit, expected_ns):
    metric = {"name": "m", "fields": {"v": 1}, "timestamp": timestamp}
    found, _ = readings(TelegrafJson(time_unit=unit), json.dumps(metric))
    assert found == {"m.v": [(expected_ns, 1.0)]}


@pytest.mark.parametrize("timestamp", [None, -5, "yesterday", 10**400, True, [], 1e300])
def test_a_reading_without_a_usable_time_is_skipped_and_counted(readings, timestamp):
    metric = {"name": "m", "fields": {"v": 1, "w": 2}, "timestamp": timestamp}
    found, skipped = readings(TelegrafJson(), json.dumps(metric))
    assert (found, skipped) == ({}, {"no-time": 2})
