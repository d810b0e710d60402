"""Telegraf's JSON, as in its documentation."""

from __future__ import annotations

import json

import pytest

from interceptor.readings.contract import UndecodableRecord
from interceptor.readings.telegraf import TelegrafJson

AT_NS = 1_700_000_123 * 10**9
METRIC = {
    "fields": {"usage_idle": 91.5, "n_cpus": 4, "is_up": True, "version": "6.1", "load": None},
    "name": "cpu",
    "tags": {"host": "web-1", "cpu": "cpu0"},
    "timestamp": 1_700_000_123,
}


def test_each_number_is_a_reading_and_strings_are_counted(readings):
    found, skipped = readings(TelegrafJson(), json.dumps(METRIC))
    assert found == {
        "cpu.usage_idle cpu=cpu0 host=web-1": [(AT_NS, 91.5)],
        "cpu.n_cpus cpu=cpu0 host=web-1": [(AT_NS, 4.0)],
        "cpu.is_up cpu=cpu0 host=web-1": [(AT_NS, 1.0)],
    }
    assert skipped == {"text": 1, "not-a-number": 1}


def test_a_bad_metric_of_a_batch_does_not_affect_others(readings):
    batch = {"metrics": [METRIC, {"name": "broken"}, METRIC | {"timestamp": 1_700_000_124, "tags": {}}]}
    found, skipped = readings(TelegrafJson(), json.dumps(batch))
    assert found["cpu.usage_idle"] == [(AT_NS + 10**9, 91.5)]
    assert len(found) == 6
    assert skipped == {"text": 2, "not-a-number": 2, "unsupported": 1}


def test_the_order_of_tags_does_not_change_the_series(readings):
    turned = METRIC | {"tags": {"cpu": "cpu0", "host": "web-1"}}
    batch = {"metrics": [METRIC, turned]}
    found, _ = readings(TelegrafJson(), json.dumps(batch))
    assert [len(of_series) for of_series in found.values()] == [2, 2, 2]


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


def test_the_name_follows_the_template(readings):
    found, _ = readings(TelegrafJson("{host}/{name}_{field}"), json.dumps(METRIC | {"fields": {"v": 1}}))
    assert list(found) == ["web-1/cpu_v"]


@pytest.mark.parametrize(
    ("template", "message"),
    [("everything", "the same name"), ("{name", "write a placeholder"), ("{} x", "write a placeholder")],
)
def test_an_invalid_template_is_rejected(template, message):
    with pytest.raises(ValueError, match=message):
        TelegrafJson(template)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{}",
        b"[1]",
        b"null",
        b'{"name": "m"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"name": 1, "fields": {}}',
    ],
)
def test_an_invalid_record_is_rejected_with_a_reason(value):
    with pytest.raises(UndecodableRecord, match="Telegraf"):
        TelegrafJson().decode(value, None, [], 0)


def test_a_number_that_json_does_not_have_leaves_the_others(readings):
    metric = '{"name":"cpu","fields":{"a":1e999,"b":2},"tags":{},"timestamp":5}'
    expected = {"cpu.b": [(5 * 10**9, 2.0)]}, {"not-a-number": 1}
    assert readings(TelegrafJson(), metric) == expected
    assert readings(TelegrafJson(), f'{{"metrics":[{metric.replace("1e999", "NaN")}]}}') == expected
