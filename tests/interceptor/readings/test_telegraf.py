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
