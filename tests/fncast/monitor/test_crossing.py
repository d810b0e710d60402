from __future__ import annotations

from statistics import NormalDist

import pytest

from fncast.monitor.alert import CLOSE_AFTER, AlertRule, AlertState
from fncast.monitor.crossing import Crossing, crossing, exceedance

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
NORMAL = [NormalDist(50, 10).inv_cdf(level) for level in LEVELS]


@pytest.mark.parametrize("threshold", [30, 40, 45, 50, 55, 60, 70])
def test_the_probability_is_about_that_of_the_distribution(threshold: float) -> None:
    above = exceedance(LEVELS, NORMAL, threshold, is_above=True)
    below = exceedance(LEVELS, NORMAL, threshold, is_above=False)
    assert above == pytest.approx(1 - NormalDist(50, 10).cdf(threshold), abs=0.03)
    assert above + below == pytest.approx(1)


def test_a_flat_forecast_is_certain() -> None:
    flat = [5.0] * 5
    assert exceedance(LEVELS, flat, 4.9, is_above=True) == 1
    assert exceedance(LEVELS, flat, 5.1, is_above=True) == 0
    assert exceedance(LEVELS, flat, 5.1, is_above=False) == 1


def ramp(at: int) -> list[float]:
    return [quantile + 5 * at for quantile in NORMAL]


def test_the_time_of_a_crossing_is_interpolated() -> None:
    rows = [ramp(at) for at in range(8)]
    found = crossing(LEVELS, rows, 62.5, is_above=True, for_steps=1, probability=0.5)
    assert found.step == pytest.approx(2.5, abs=0.1)
    assert found.probability > 0.9


def test_a_crossing_must_last() -> None:
    rows = [ramp(0), ramp(6), ramp(0), ramp(0)]
    assert crossing(LEVELS, rows, 62.5, is_above=True, for_steps=1, probability=0.5).step is not None
    assert crossing(LEVELS, rows, 62.5, is_above=True, for_steps=2, probability=0.5).step is None


def test_a_rule_looks_only_so_far_ahead() -> None:
    rows = [ramp(at) for at in range(8)]
    rule = AlertRule("disk", "web-*.disk", above=62.5, within_s=120)
    assert rule.crossing(LEVELS, rows, 60).step is None
    assert AlertRule("disk", above=62.5, within_s=600).crossing(LEVELS, rows, 60).step is not None
    assert rule.matches("web-1.disk")
    assert not rule.matches("db-1.disk")


def test_the_time_of_a_crossing_is_where_it_is_as_likely_as_not() -> None:
    rows = [ramp(at) for at in range(8)]
    certain = crossing(LEVELS, rows, 62.5, is_above=True, for_steps=1, probability=0.9)
    assert certain.step == pytest.approx(2.5, abs=0.1)
    unlikely = crossing(LEVELS, rows, 62.5, is_above=True, for_steps=1, probability=0.25)
    assert unlikely.step is not None
    assert unlikely.step < 1.5


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
