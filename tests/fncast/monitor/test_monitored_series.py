"""The state of one series, with its alerts."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from fncast.monitor.accuracy.comparison import Comparison
from fncast.monitor.accuracy.publication import Publication
from fncast.monitor.alerts.alert import AlertRule, AlertState
from fncast.monitor.alerts.crossing import Crossing
from fncast.monitor.joining.joined_series import JoinedSeries
from fncast.monitor.joining.series_grid import SeriesGrid
from fncast.monitor.monitored_series import MonitoredSeries
from fncast.series.step import Step

RULE = AlertRule("full", above=90.0)


def series() -> MonitoredSeries:
    joined = JoinedSeries(SeriesGrid(datetime(2026, 5, 1, tzinfo=UTC), Step.seconds(60.0)))
    return MonitoredSeries("disk", joined, is_watched=True, rules=[RULE])


def with_alert() -> MonitoredSeries:
    """A series whose alert opens with the next forecast."""
    found = series()
    found.alerts[RULE.name] = AlertState()
    for start_s in (60.0, 120.0):
        found.alerts[RULE.name].update(RULE, Crossing(0.9, 2.0), start_s, 60.0)
    return found


def test_alerts_continue_alike_after_their_state_is_restored() -> None:
    found, restored = with_alert(), series()
    restored.restore_alerts(msgspec.msgpack.decode(msgspec.msgpack.encode(found.alert_state())))
    assert restored.alerts == found.alerts
    third = Crossing(0.9, 2.0)
    assert [each.alerts[RULE.name].update(RULE, third, 180.0, 60.0) for each in (found, restored)] == [
        "open"
    ] * 2


def test_restored_alerts_replace_those_of_before() -> None:
    found = with_alert()
    found.restore_alerts({})
    assert found.alert_state() == {}


def test_a_restored_series_has_what_was_published_and_compared() -> None:
    found = with_alert()
    found.published["base/1"] = Publication(60.0, 100, 0.5, 0.8)
    found.comparisons["base/1"] = Comparison(True, 2, 60.0)
    found.silence.arrived(1000)
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(found.state()))
    restored = MonitoredSeries.restored("disk", True, [RULE], state)
    assert restored.published == found.published
    assert restored.comparisons == found.comparisons
    assert restored.silence == found.silence
    assert restored.alerts == found.alerts
