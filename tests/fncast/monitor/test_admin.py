"""What the monitor's listener reports about the accuracy of its series."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric

from fncast.monitor import admin
from fncast.monitor.admin import MonitorCollector, accuracy_list
from fncast.monitor.judge import Judge
from fncast.monitor.rules import MonitorRules
from fncast.series.rfc3339 import format_time
from interceptor.chain import Chain
from interceptor.delivery import Batch, Delivery, Record

START, STEP_S, READINGS = datetime(2026, 5, 1, tzinfo=UTC), 60, 40
TOPICS = ("metrics", "forecasts")


def record(topic: str, type_: str, series: str, at: int, data: dict[str, Any]) -> Record:
    named = {"specversion": "1.0", "id": f"{series}-{at}", "source": "test", "subject": series}
    named |= {"type": f"io.fncast.{type_}.v1", "modelname": "base", "modelversion": "1"}
    headers: list[tuple[str, bytes | None]] = [
        (f"ce_{name}", value.encode()) for name, value in named.items()
    ]
    headers.append(("content-type", b"application/json"))
    return Record(topic, 0, at, 1000 * at, None, json.dumps(data).encode(), headers)


def judged(errors: dict[str, float], more: list[Record] | None = None) -> Judge:
    """A judge of series whose readings change by 1, with forecasts that are wrong by `errors`."""
    judge = Judge(MonitorRules(), TOPICS)
    records = list(more or [])
    for at in range(READINGS):
        for series, error in errors.items():
            now, following = (format_time(START + timedelta(seconds=STEP_S * each)) for each in (at, at + 1))
            window = {"start": now, "step_s": STEP_S, "values": [at % 2]}
            expected = (at + 1) % 2 + error
            quantiles = {"0.1": [expected - 1], "0.5": [expected], "0.9": [expected + 1]}
            forecast = {"start": following, "step_s": STEP_S, "quantiles": quantiles}
            records.append(record("metrics", "window", series, at, window))
            records.append(record("forecasts", "forecast", series, at, forecast))
    asyncio.run(Chain([judge]).on_consume(Batch([Delivery(each) for each in records])))
    return judge


def figures(judge: Judge) -> dict[str, Metric]:
    return {metric.name: metric for metric in MonitorCollector(judge).collect()}


def values(metric: Metric) -> list[float]:
    return [sample.value for sample in metric.samples]


def test_the_series_with_the_worst_skill_is_listed_first() -> None:
    found = accuracy_list(judged({"good": 0.1, "bad": 3.0, "fair": 0.5}))
    assert [each["series"] for each in found["series"]] == ["bad", "fair", "good"]
    assert [each["skill"] for each in found["series"]] == pytest.approx([-2.0, 0.5, 0.9])
    assert found["series"][0]["model"] == "base/1"
    assert found["left_out"] == 0


def test_the_list_is_bounded_and_counts_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "MAX_LISTED", 1)
    found = accuracy_list(judged({"good": 0.1, "bad": 3.0, "fair": 0.5}))
    assert ([each["series"] for each in found["series"]], found["left_out"]) == (["bad"], 2)


def test_the_metrics_are_medians_by_model_without_names_of_series() -> None:
    found = figures(judged({"good": 0.1, "bad": 3.0, "fair": 0.5}))
    [skill] = found["fncast_forecast_skill"].samples
    assert skill.labels == {"modelversion": "base/1"}
    assert skill.value == pytest.approx(0.5)
    assert values(found["fncast_monitored_series"]) == [3.0]
    assert values(found["fncast_alerts_open"]) == values(found["fncast_anomalies_open"]) == [0.0]


def test_events_that_cannot_be_read_are_counted() -> None:
    wrong = [record("metrics", "window", "cpu", 0, {"start": "yesterday", "step_s": 60, "values": [1]})]
    assert values(figures(judged({"cpu": 0.1}, wrong))["fncast_monitor_unusable_events"]) == [1.0]
    assert values(figures(judged({"cpu": 0.1}))["fncast_monitor_unusable_events"]) == [0.0]


def added_events(reading: int, *forecasts: int) -> list[Record]:
    """Records behind all others: a reading of one step, and forecasts that start at other steps."""
    now, *starts = (format_time(START + timedelta(seconds=STEP_S * step)) for step in (reading, *forecasts))
    quantiles = {level: [1.0] for level in ("0.1", "0.5", "0.9")}
    found = [record("metrics", "window", "cpu", READINGS, {"start": now, "step_s": STEP_S, "values": [1]})]
    for start in starts:
        data = {"start": start, "step_s": STEP_S, "quantiles": quantiles}
        found.append(record("forecasts", "forecast", "cpu", READINGS, data))
    return found


def untimely_events(added: list[Record]) -> list[float]:
    return values(figures(judged({"cpu": 0.1}, added))["fncast_monitor_untimely_events"])


def test_readings_and_forecasts_that_come_too_late_or_too_early_are_counted() -> None:
    assert untimely_events(added_events(0, READINGS)) == [1.0]
    assert untimely_events(added_events(READINGS, 1)) == [1.0]
    assert untimely_events(added_events(READINGS, READINGS + 100)) == [1.0]


def test_a_repeated_forecast_does_not_count_as_late() -> None:
    assert untimely_events(added_events(READINGS, READINGS, READINGS)) == [0.0]
