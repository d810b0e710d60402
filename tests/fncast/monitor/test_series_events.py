"""The events about one series: alerts of forecasts, and a silence."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from fncast.monitor.alerts.alert import AlertRule
from fncast.monitor.joining.joined_series import JoinedSeries
from fncast.monitor.joining.series_grid import SeriesGrid
from fncast.monitor.messages import ForecastMessage
from fncast.monitor.monitored_series import MonitoredSeries
from fncast.monitor.rules import MonitorRules
from fncast.monitor.series_events import SeriesEvents
from fncast.series.step import Step
from interceptor.outcome import OutputEvent

START, STEP = datetime(2026, 5, 1, tzinfo=UTC), Step.seconds(60.0)
RULE = AlertRule("full", above=90.0)
EVENTS = SeriesEvents(MonitorRules(alerts=(RULE,)))


def disk(rules: list[AlertRule]) -> MonitoredSeries:
    return MonitoredSeries("disk", JoinedSeries(SeriesGrid(START, STEP)), is_watched=True, rules=rules)


def forecast(at: int, value: float) -> ForecastMessage:
    """A forecast of four equal steps. at: minutes after START."""
    columns = [[value - 1] * 4, [value] * 4, [value + 1] * 4]
    return ForecastMessage("disk", START + timedelta(minutes=at), STEP, (0.1, 0.5, 0.9), columns, "base/1")


def state_of(event: OutputEvent) -> str:
    return str(json.loads(event.value or b"{}")["state"])


def test_an_alert_opens_with_the_third_forecast_of_a_crossing() -> None:
    series = disk([RULE])
    found = [EVENTS.update_alerts(series, forecast(at, 95.0)) for at in range(4)]
    assert [[state_of(event) for event in events] for events in found] == [[], [], ["open"], []]


def test_a_series_without_rules_has_no_alerts() -> None:
    assert [EVENTS.update_alerts(disk([]), forecast(at, 95.0)) for at in range(4)] == [[]] * 4


def test_a_silence_opens_and_closes_on_the_topic_of_alerts() -> None:
    series = disk([])
    opened, closed = (EVENTS.silence_event(series, is_open=is_open) for is_open in (True, False))
    assert (opened.topic, closed.topic) == ("alerts", "alerts")
    assert (state_of(opened), state_of(closed)) == ("open", "closed")
