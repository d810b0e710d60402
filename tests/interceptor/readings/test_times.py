"""Times of readings: numbers in a guessed or a set unit, and texts."""

from __future__ import annotations

import json

import pytest

from interceptor.readings.telegraf import TelegrafJson
from interceptor.readings.times import (
    MAX_TIME_NS,
    record_time_ns,
    since_epoch_ns,
    time_ns,
    to_datetime,
    unit_of,
)

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


@pytest.mark.parametrize(
    ("number", "unit"),
    [
        (99_999_999_999, "s"),
        (10**11, "ms"),
        (10**14 - 1, "ms"),
        (10**14, "us"),
        (10**17 - 1, "us"),
        (10**17, "ns"),
    ],
)
def test_the_unit_is_guessed_by_the_size_of_a_number(number: int, unit: str) -> None:
    assert unit_of(number) == unit


@pytest.mark.parametrize(("text", "unit"), [("1700000123", "auto"), ("1700000123000", "ms")])
def test_digits_in_a_text_are_a_number(text: str, unit: str) -> None:
    assert time_ns(text, unit) == AT_NS


@pytest.mark.parametrize(
    "raw", [-1, MAX_TIME_NS + 1, float("inf"), float("nan"), "1969-12-31T23:59:59Z", "2300-01-01T00:00:00Z"]
)
def test_a_time_before_1970_or_after_2261_is_none(raw: object) -> None:
    assert time_ns(raw, "ns") is None
    assert time_ns(MAX_TIME_NS, "ns") == MAX_TIME_NS


@pytest.mark.parametrize("time_ns", [0, AT_NS, MAX_TIME_NS // 1000 * 1000, -(10**15)])
def test_a_time_is_a_moment_in_utc_and_back(time_ns: int) -> None:
    assert since_epoch_ns(to_datetime(time_ns)) == time_ns
    assert to_datetime(AT_NS + 999).isoformat() == "2023-11-14T22:15:23+00:00"


@pytest.mark.parametrize(
    ("timestamp_ms", "expected_ns"), [(5, 5_000_000), (0, 0), (-1, None), (AT_NS // 1000, None)]
)
def test_a_record_with_a_timestamp_before_1970_or_after_2261_has_no_time(
    timestamp_ms: int, expected_ns: int | None
) -> None:
    assert record_time_ns(timestamp_ms) == expected_ns
