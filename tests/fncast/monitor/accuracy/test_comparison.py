"""Alerts about models whose forecasts are worse than the last value."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from fncast.monitor.admin import open_counts
from fncast.monitor.messages import ForecastMessage, NewestReading
from fncast.monitor.partition import MonitorPartition
from fncast.monitor.rules import MonitorRules
from fncast.series.step import Step

START, STEP = datetime(2026, 5, 1, tzinfo=UTC), Step.seconds(6 * 3600.0)
RULES = MonitorRules(worse_than_last_for=4, exclude=("noisy*",), destination="page-me")
LEVELS, HORIZON = (0.1, 0.5, 0.9), 2


def feed(
    partition: MonitorPartition,
    first: int,
    end: int,
    error: float,
    model: str = "forecast/1",
    series: str = "cpu",
) -> list[tuple[int, dict[str, str], dict[str, Any]]]:
    """A reading that alternates by 2, and a forecast that is wrong by `error`. Returns the alerts with their step."""
    found = []
    for at in range(first, end):
        value = 50.0 + 2 * (at % 2)
        reading = NewestReading(series, START + at * timedelta(hours=6), STEP, value)
        rows = [
            (v - 9.0, v, v + 9.0)
            for v in (50.0 + 2 * ((at + 1 + step) % 2) + error for step in range(HORIZON))
        ]
        following = START + (at + 1) * timedelta(hours=6)
        columns = [list(column) for column in zip(*rows, strict=True)]
        message = ForecastMessage(series, following, STEP, LEVELS, columns, model)
        for event in partition.add_reading(reading, at) + partition.add_forecast(message):
            headers = {name: (text or b"").decode() for name, text in event.headers}
            if headers["ce_type"] == "io.fncast.alert.v1":
                found.append((at, headers, json.loads(event.value or b"")))
    return found


def test_a_model_that_becomes_worse_opens_once_and_closes_once() -> None:
    partition = MonitorPartition(RULES)
    assert feed(partition, 0, 20, error=0.1) == []
    ((at, headers, data),) = feed(partition, 20, 60, error=5.0)
    assert 24 <= at < 40
    assert (data["rule"], data["state"], data["model"]) == ("worse-than-last-value", "open", "forecast/1")
    assert data["skill"] < 0
    assert (headers["ce_modelversion"], headers["ce_destination"]) == ("1", "page-me")
    assert open_counts([partition]) == (0, 1)
    ((_, _, data),) = feed(partition, 60, 120, error=0.1)
    assert (data["state"], data["skill"] > 0) == ("closed", True)
    assert open_counts([partition]) == (0, 0)


def test_a_few_bad_readings_open_nothing() -> None:
    for wanted, alerts in ((2, 2), (4, 0)):  # two readings open an alert and close it
        partition = MonitorPartition(MonitorRules(worse_than_last_for=wanted))
        found = feed(partition, 0, 20, error=0.0) + feed(partition, 20, 21, error=10.0)
        assert len(found + feed(partition, 21, 60, error=0.0)) == alerts


def test_a_restored_alert_is_not_opened_again() -> None:
    partition = MonitorPartition(RULES)
    assert len(feed(partition, 0, 20, error=5.0)) == 1
    restored = MonitorPartition(RULES)
    restored.restore("cpu", msgspec.msgpack.decode(msgspec.msgpack.encode(partition.series["cpu"].state())))
    assert feed(restored, 20, 40, error=5.0) == []
    assert open_counts([restored]) == (0, 1)


def test_the_alert_of_a_version_that_is_replaced_closes() -> None:
    partition = MonitorPartition(RULES)
    feed(partition, 0, 20, error=5.0, model="forecast/1")
    ((_, _, data),) = feed(partition, 20, 60, error=0.0, model="forecast/2")
    assert (data["model"], data["state"]) == ("forecast/1", "closed")


def test_excluded_series_and_the_default_open_nothing() -> None:
    assert feed(MonitorPartition(RULES), 0, 40, error=5.0, series="noisy.cpu") == []
    assert feed(MonitorPartition(MonitorRules()), 0, 40, error=5.0) == []
