"""The probability that a forecast crosses a threshold, and when."""

from __future__ import annotations

from statistics import NormalDist

import pytest

from fncast.monitor.alerts.crossing import crossing, exceedance

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


def test_the_time_of_a_crossing_is_where_it_is_as_likely_as_not() -> None:
    rows = [ramp(at) for at in range(8)]
    certain = crossing(LEVELS, rows, 62.5, is_above=True, for_steps=1, probability=0.9)
    assert certain.step == pytest.approx(2.5, abs=0.1)
    unlikely = crossing(LEVELS, rows, 62.5, is_above=True, for_steps=1, probability=0.25)
    assert unlikely.step is not None
    assert unlikely.step < 1.5
