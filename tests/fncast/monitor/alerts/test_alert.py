"""Alert rules, and the alerts that open and close by them."""

from __future__ import annotations

import pytest

from fncast.monitor.alerts.alert import CLOSE_AFTER, AlertRule, AlertState
from fncast.monitor.alerts.crossing import Crossing

LEVELS = (0.1, 0.5, 0.9)


def test_a_rule_looks_only_so_far_ahead() -> None:
    rows = [[40.0 + 5 * at, 50.0 + 5 * at, 60.0 + 5 * at] for at in range(8)]
    assert AlertRule("disk", above=62.5, within_s=120).crossing(LEVELS, rows, 60).step is None
    assert AlertRule("disk", above=62.5, within_s=600).crossing(LEVELS, rows, 60).step is not None


def test_a_rule_applies_to_the_series_that_its_glob_matches() -> None:
    rule = AlertRule("disk", "web-*.disk", above=62.5)
    assert rule.matches("web-1.disk")
    assert not rule.matches("db-1.disk")


def test_an_alert_opens_once_and_closes_with_hysteresis() -> None:
    rule, state = AlertRule("disk", above=90.0), AlertState()
    probabilities = (0.5, 0.5, 0.4, 0.5, 0.6, 0.5, 0.2, 0.4, 0.2, 0.2)
    found = [state.update(rule, Crossing(p, 1.0), at, 1.0) for at, p in enumerate(probabilities)]
    assert found == ["", "", "", "", "", "open", "", "", "", ""]
    assert [state.update(rule, Crossing(0.1, None), at, 1.0) for at in (10, 11)] == ["closed", ""]
    assert CLOSE_AFTER == 3


def test_an_alert_expects_the_mean_time_of_its_forecasts() -> None:
    rule, state = AlertRule("disk", above=90.0), AlertState()
    state.update(rule, Crossing(0.9, 1.0), 0.0, 60.0)
    state.update(rule, Crossing(0.1, None), 60.0, 60.0)  # the forecasts before it do not count
    for start_s, step in ((600.0, 9.0), (660.0, 6.0), (720.0, 8.0)):
        state.update(rule, Crossing(0.9, step), start_s, 60.0)
    assert state.is_open
    assert state.expected_s == pytest.approx((1140 + 1020 + 1200) / 3)


def test_an_alert_never_expects_a_crossing_before_its_forecast() -> None:
    rule, state = AlertRule("disk", above=90.0), AlertState()
    for start_s in (600.0, 660.0, 720.0):
        state.update(rule, Crossing(0.9, 0.0), start_s, 60.0)
    assert state.expected_s == 720.0


def test_a_crossing_far_ahead_has_to_be_forecast_longer() -> None:
    rule = AlertRule("disk", above=90.0)
    for step, wanted in ((3.0, 3), (80.0, 10)):
        state = AlertState()
        found = [state.update(rule, Crossing(0.6, step), at, 1.0) for at in range(12)]
        assert found.index("open") == wanted - 1


@pytest.mark.parametrize(
    ("rule", "limitation"),
    [
        (AlertRule("a", above=1.0, within_s=60.0, for_steps=6), ""),
        (AlertRule("a", above=1.0), ""),
        (AlertRule("a", above=1.0, within_s=3.0), "shorter than a step of 10 s"),
        (AlertRule("a", above=1.0, within_s=21600.0), "longer than the forecast: its 240 s count"),
        (AlertRule("a", above=1.0, for_steps=25), "24 count"),
        (AlertRule("a", above=1.0, within_s=60.0, for_steps=7), "6 count"),
    ],
)
def test_a_rule_that_does_not_fit_the_forecast_says_so(rule: AlertRule, limitation: str) -> None:
    found = rule.limitation(24, 10.0)
    assert limitation in found
    assert bool(limitation) == bool(found)
