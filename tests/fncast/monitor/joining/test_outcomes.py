"""What the steps of forecasts came to, once their readings are known."""

from __future__ import annotations

import numpy as np

from fncast.monitor.joining.outcomes import outcomes
from tests.fncast.monitor.rings import pending, readings

HORIZON = 2


def test_a_reading_has_an_outcome_for_each_lead() -> None:
    found = outcomes(pending(HORIZON, 4, 5), readings(3, 4, 5), np.array([5]), np.array([300.0]), 0)
    assert found.is_comparable.tolist() == [[True, True]]
    assert (found.value.tolist(), found.time_s.tolist()) == ([5.0], [300.0])
    assert found.quantiles[1].tolist() == [[500.0, 401.0]]
    assert found.last.tolist() == [[4.0, 3.0]]
    assert found.seasonal is None


def test_a_forecast_after_a_missing_reading_has_no_outcome() -> None:
    found = outcomes(pending(HORIZON, 4, 5), readings(3, 5), np.array([5]), np.array([300.0]), 0)
    assert found.is_comparable.tolist() == [[False, True]]


def test_a_forecast_that_is_not_there_has_no_outcome() -> None:
    found = outcomes(pending(HORIZON, 5), readings(3, 4, 5, 6), np.array([5, 6]), np.array([300.0, 360.0]), 0)
    assert found.is_comparable.tolist() == [[True, False], [False, True]]


def test_the_seasonal_naive_is_the_last_reading_of_that_time_before_the_forecast() -> None:
    found = outcomes(pending(HORIZON, 7, 8), readings(*range(9)), np.array([8]), np.array([480.0]), 4)
    assert found.seasonal is not None
    assert found.seasonal.tolist() == [[4.0, 4.0]]
