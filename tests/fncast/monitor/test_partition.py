"""The series of a partition: silence, bounds, and what is reported."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from fncast.monitor.alerts.alert import AlertRule
from fncast.monitor.anomalies.detector import DetectorSettings
from fncast.monitor.messages import ForecastMessage, NewestReading
from fncast.monitor.partition import MonitorPartition
from fncast.monitor.rules import MonitorRules
from fncast.series.step import Step

START, STEP = datetime(2026, 5, 1, tzinfo=UTC), Step.seconds(60.0)
RULES = MonitorRules(DetectorSettings(min_history=5), silent_steps=3, exclude=("noisy*",), max_series=2)


def feed(partition: MonitorPartition, first: int, end: int, series: str = "cpu") -> list[dict[str, object]]:
    found = []
    for at in range(first, end):
        reading = NewestReading(series, START + timedelta(minutes=at), STEP, float(at % 7))
        found += partition.add_reading(reading, 60_000 * at)
    return [json.loads(event.value or b"") for event in found]


def states(events: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(event["kind"], event["state"]) for event in events]


def tick(partition: MonitorPartition, minutes: float) -> list[dict[str, object]]:
    return [json.loads(event.value or b"") for event in partition.tick(int(60_000 * minutes))]


def test_a_silent_series_opens_once_and_closes_with_the_next_reading() -> None:
    partition = MonitorPartition(RULES)
    feed(partition, 0, 20)
    assert tick(partition, 21) == []
    (opened,) = tick(partition, 23)
    assert (opened["kind"], opened["state"], opened["time"]) == ("silent", "open", "2026-05-01T00:19:00Z")
    assert tick(partition, 30) == []
    assert states(feed(partition, 30, 31)) == [("silent", "closed")]


def test_a_silence_that_is_usual_and_a_new_series_open_nothing() -> None:
    partition = MonitorPartition(RULES)
    feed(partition, 0, 3)
    assert tick(partition, 30) == []  # too new
    feed(partition, 3, 10)
    feed(partition, 20, 30)  # a gap of ten minutes
    assert tick(partition, 42) == []
    assert states(tick(partition, 46)) == [("silent", "open")]


def test_a_restored_series_is_silent_once() -> None:
    partition = MonitorPartition(RULES)
    feed(partition, 0, 20)
    assert len(tick(partition, 30)) == 1
    restored = MonitorPartition(RULES)
    restored.restore("cpu", partition.series["cpu"].state())
    assert tick(restored, 40) == []


def test_excluded_series_are_not_reported() -> None:
    partition = MonitorPartition(RULES)
    for series in ("noisy.cpu", "disk"):
        feed(partition, 0, 20, series)
    assert len(tick(partition, 40)) == 1


def test_series_beyond_the_bound_are_ignored_and_named_once(caplog: pytest.LogCaptureFixture) -> None:
    partition = MonitorPartition(RULES)
    for series in ("cpu", "disk", "net\x1b[2J", "other"):
        feed(partition, 0, 20, series)
    assert partition.series.keys() == {"cpu", "disk"}
    assert partition.rejected == 40
    (message,) = caplog.messages
    assert "more than max_series = 2 series: 'net" in message
    assert message.isprintable()


def test_a_rule_that_does_not_fit_the_forecast_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    partition = MonitorPartition(MonitorRules(alerts=(AlertRule("far", above=1.0, within_s=3600.0),)))
    for at in range(3):
        start, columns = START + timedelta(minutes=at), [[0.0] * 24, [1.0] * 24, [2.0] * 24]
        partition.add_forecast(ForecastMessage("cpu", start, STEP, (0.1, 0.5, 0.9), columns, "base/1"))
    assert [record.message.count("longer than the forecast") for record in caplog.records] == [1]


@pytest.mark.parametrize("is_restored", [False, True])
def test_an_alert_expects_the_same_time_after_a_restart(is_restored: bool) -> None:
    rules = MonitorRules(alerts=(AlertRule("full", above=90.0),))
    partition = MonitorPartition(rules)
    events = []
    for at, crossing in enumerate((10, 14, 12)):  # minutes ahead
        if is_restored:
            restored = MonitorPartition(rules)
            for name, series in partition.series.items():
                restored.restore(name, series.state())
            partition = restored
        rows = [[value] * crossing + [value + 90.0] * (24 - crossing) for value in (-1.0, 0.0, 1.0)]
        start = START + timedelta(minutes=at)
        events += partition.add_forecast(ForecastMessage("cpu", start, STEP, (0.1, 0.5, 0.9), rows, "base/1"))
    (opened,) = [json.loads(event.value or b"") for event in events]
    assert opened["state"] == "open"
    assert opened["expected_at"] == "2026-05-01T00:13:00Z"
