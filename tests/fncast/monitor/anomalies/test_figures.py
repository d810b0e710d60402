"""The figures of a series: errors of forecasts, alone and over several readings."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fncast.monitor.anomalies.figures import LARGEST_EVIDENCE, DetectorFigures, Expectation

READINGS = 400


def updated(figures: DetectorFigures, values: np.ndarray, expected: float = 50.0) -> list[dict[str, float]]:
    """The figures at each reading, if each forecast expects the same with a band of 2 to both sides."""
    forecast = Expectation(expected, expected - 2.0, expected + 2.0)
    return [
        dict(zip(DetectorFigures.NAMES, figures.update(value, forecast, forecast), strict=True))
        for value in values.tolist()
    ]


def noise(seed: int = 0) -> np.ndarray:
    return 50 + np.random.default_rng(seed).normal(size=READINGS)


def test_a_single_outlier_raises_the_error_and_does_not_last() -> None:
    values = noise()
    values[300] += 100
    found = updated(DetectorFigures(), values)
    usual = max(each["error"] for each in found[100:300])
    assert found[300]["error"] > 10 * usual
    assert found[301]["error"] < 2 * usual
    assert found[340]["bias"] < 1.0
    steps = [later["evidence"] - each["evidence"] for each, later in itertools.pairwise(found)]
    assert max(steps) <= LARGEST_EVIDENCE


def test_readings_on_one_side_of_their_forecast_add_up_to_evidence() -> None:
    values = noise()
    values[300:] += 3
    found = updated(DetectorFigures(), values)
    assert found[310]["evidence"] > max(each["evidence"] for each in found[100:300])
    assert found[310]["bias"] > max(each["bias"] for each in found[100:300])


def test_louder_noise_raises_the_spread_but_not_the_bias_of_steady_readings() -> None:
    values = noise()
    values[300:] = 50 + 6 * (values[300:] - 50)
    found = updated(DetectorFigures(), values)
    assert found[330]["spread"] > 1.5 * max(each["spread"] for each in found[100:300])


def test_a_series_that_leaves_its_level_has_moved() -> None:
    values = noise()
    values[300:] += 20
    found = updated(DetectorFigures(), values)
    assert found[330]["move"] > 3 * max(each["move"] for each in found[250:300])


def test_only_the_first_forecast_shows_a_drift_that_the_last_one_follows() -> None:
    figures, drifts = DetectorFigures(), []
    for at in range(READINGS):
        value = 50.0 + (at % 3) + max(0, at - 300) * 0.5
        near, far = Expectation(value, value - 2, value + 2), Expectation(51.0, 49.0, 53.0)
        drifts.append(figures.update(value, near, far)[DetectorFigures.NAMES.index("drift")])
    assert drifts[330] > 3 * max(drifts[100:300])


@pytest.mark.parametrize(("error", "scale"), [(1.0, 0.5), (-1.0, 0.75), (0.0, 0.5)])
def test_an_error_is_scaled_by_the_side_of_the_band_on_which_it_is(error: float, scale: float) -> None:
    assert Expectation(10.0, 7.0, 12.0).error_scale(error) == scale


def test_quantiles_that_are_not_in_order_scale_nothing() -> None:
    assert Expectation(10.0, 11.0, 9.0).error_scale(1.0) == 0.0
    assert Expectation(10.0, 11.0, 9.0).error_scale(-1.0) == 0.0


def test_restored_figures_continue_alike() -> None:
    values, whole = noise(3), DetectorFigures()
    expected = updated(whole, values)
    half = DetectorFigures()
    updated(half, values[:150])
    assert updated(DetectorFigures.restored(half.state()), values[150:]) == expected[150:]
