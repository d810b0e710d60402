"""What forecasts predict for one reading."""

from __future__ import annotations

from fncast.monitor.anomalies.figures import Expectation
from fncast.monitor.joining.expectations import expectations
from tests.fncast.monitor.rings import pending, readings

HORIZON = 3


def test_the_last_and_the_first_forecast_that_include_a_step_predict_it() -> None:
    near, far = expectations([pending(HORIZON, 3, 4, 5)], readings(2, 3, 4), 5)
    assert near == Expectation(500.0, 499.0, 501.0)
    assert far == Expectation(302.0, 301.0, 303.0)


def test_a_step_that_no_forecast_includes_has_no_expectation() -> None:
    assert expectations([pending(HORIZON, 3)], readings(2, 3, 4, 5), 6) == (None, None)
    assert expectations([], readings(2, 3, 4), 5) == (None, None)


def test_after_a_gap_there_is_no_expectation() -> None:
    assert expectations([pending(HORIZON, 3, 5)], readings(2, 3), 5) == (None, None)


def test_the_only_forecast_is_both() -> None:
    near, far = expectations([pending(HORIZON, 4)], readings(3), 5)
    assert near == far == Expectation(401.0, 400.0, 402.0)


def test_forecasts_of_all_models_count() -> None:
    near, far = expectations([pending(HORIZON, 3), pending(HORIZON, 5)], readings(2, 4), 5)
    assert near is not None
    assert far is not None
    assert (near.expected, far.expected) == (500.0, 302.0)
