"""The CloudEvents that the monitor publishes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from fncast.monitor.accuracy.accuracy import Accuracy, Outcomes
from fncast.monitor.alerts.alert import AlertRule, AlertState
from fncast.monitor.anomalies.episode import Episode
from fncast.monitor.output import accuracy_event, alert_event, anomaly_event, time_text, worse_event
from interceptor.outcome import OutputEvent

EPISODE = Episode("outlier", 60.0, 120.0, 180.0, 9.0, 5.0, 4.0, 6.0, 0.8, 3)
RULE = AlertRule("full", below=2.0, destination="page")


def accuracy() -> Accuracy:
    found = Accuracy()
    quantiles = np.array([3.0, 4.0, 6.0]).reshape(3, 1, 1)
    found.add(
        Outcomes(np.ones((1, 1), bool), np.array([120.0]), np.array([5.0]), np.full((1, 1), 3.0), quantiles)
    )
    return found


def read(event: OutputEvent) -> tuple[dict[str, str], dict[str, Any]]:
    attributes = {name.removeprefix("ce_"): (value or b"").decode() for name, value in event.headers}
    return attributes, json.loads(event.value or b"")


def test_an_accuracy_event_has_the_figures_up_to_its_newest_reading() -> None:
    event = accuracy_event("cpu", "base/3", accuracy(), "accuracy")
    attributes, data = read(event)
    assert (event.topic, event.key) == ("accuracy", b"cpu")
    assert (attributes["type"], attributes["time"]) == ("io.fncast.accuracy.v1", "1970-01-01T00:02:00Z")
    assert (attributes["modelname"], attributes["modelversion"]) == ("base", "3")
    assert (data["readings"], data["mae"], data["skill"], data["coverage"]) == (1, 1.0, 0.5, 1.0)
    assert data["day"]["mae"] == data["leads"]["1"]["mae"] == 1.0


def test_an_anomaly_event_has_the_most_unusual_reading_and_the_times() -> None:
    attributes, data = read(anomaly_event("cpu", EPISODE, 180.0, False, "alerts", "page"))
    assert (attributes["type"], attributes["destination"]) == ("io.fncast.anomaly.v1", "page")
    assert (data["state"], data["kind"], data["value"], data["readings"]) == ("closed", "outlier", 9.0, 3)
    assert [data[name] for name in ("start", "time", "end")] == [time_text(at) for at in (60, 120, 180)]


def test_an_alert_event_names_rule_threshold_and_expected_time() -> None:
    alert = AlertState(is_open=True, expected_s=240.0)
    attributes, data = read(alert_event("cpu", "base/3", RULE, alert, 0.9, 60.0, "alerts"))
    assert (attributes["type"], attributes["destination"]) == ("io.fncast.alert.v1", "page")
    assert (data["rule"], data["state"], data["threshold"], data["direction"]) == (
        "full",
        "open",
        2.0,
        "below",
    )
    assert (data["expected_at"], data["probability"]) == ("1970-01-01T00:04:00Z", 0.9)


def test_an_alert_about_a_bad_model_names_the_model_and_its_skill() -> None:
    attributes, data = read(worse_event("cpu", "base/3", accuracy(), "open", 60.0, "alerts", ""))
    assert (data["rule"], data["model"], data["skill"]) == ("worse-than-last-value", "base/3", 0.5)
    assert "destination" not in attributes


@pytest.mark.parametrize(("time_s", "is_open"), [(60.0, True), (300.0, True), (300.0, False)])
def test_an_event_that_is_written_again_has_the_same_id(time_s: float, is_open: bool) -> None:
    first, again = (read(anomaly_event("cpu", EPISODE, time_s, is_open, "t", ""))[0]["id"] for _ in range(2))
    assert first == again


def test_the_events_of_one_alert_have_different_ids() -> None:
    events = [
        alert_event("cpu", "base/3", rule, AlertState(is_open), 0.9, 60.0, "alerts")
        for rule, is_open in ((RULE, True), (RULE, False), (AlertRule("low", below=1.0), True))
    ]
    assert len({read(event)[0]["id"] for event in events}) == 3


def test_the_events_of_one_episode_and_of_other_series_have_different_ids() -> None:
    events = [
        anomaly_event(series, EPISODE, 60.0, is_open, "t", "")
        for series, is_open in (("cpu", True), ("cpu", False), ("memory", True))
    ]
    assert len({read(event)[0]["id"] for event in events}) == 3
