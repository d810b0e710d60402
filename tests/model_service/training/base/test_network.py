from typing import Any

import numpy as np
import pytest

from fncast.series.window import MISSING
from model_service.training.base.fit import predict
from model_service.training.base.network import build_base_network
from model_service.training.base.shape import LONG, QUANTILES, SHORT, Size


@pytest.fixture(scope="module")
def network() -> Any:
    return build_base_network(SHORT)


def windows(count: int = 8, window: int = 64) -> Any:
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, window)).cumsum(axis=1).astype(np.float32)


def test_quantiles_never_cross(network: Any) -> None:
    forecast = predict(network, windows())
    assert forecast.shape == (8, SHORT.horizon, len(QUANTILES))
    assert (np.diff(forecast, axis=2) >= 0).all()


def test_moves_and_scales_with_its_window(network: Any) -> None:
    expected = predict(network, windows())
    np.testing.assert_allclose(predict(network, windows() + 1000) - 1000, expected, atol=5e-3)
    np.testing.assert_allclose(predict(network, windows() * 1e6) / 1e6, expected, rtol=1e-3, atol=1e-4)


def test_the_number_of_a_missing_reading_has_no_influence(network: Any) -> None:
    missing, extreme = windows(), windows()
    missing[:, 20:30], extreme[:, 20:30] = MISSING, -3 * MISSING
    np.testing.assert_array_equal(predict(network, missing), predict(network, extreme))
    assert np.abs(predict(network, missing) - predict(network, windows())).max() > 1e-3


@pytest.mark.parametrize("level", [0.0, 1e-20, -3.5, 1e12])
def test_a_constant_window_stays_constant(network: Any, level: float) -> None:
    constant = np.full((2, 64), level, dtype=np.float32)
    constant[1, :50] = MISSING
    np.testing.assert_allclose(predict(network, constant), np.full((2, 24, 9), level), rtol=1e-6, atol=1e-25)


@pytest.mark.parametrize("size", [SHORT, LONG])
def test_few_readings_and_long_outages_are_finite(size: Size) -> None:
    network = build_base_network(size)
    few = windows(4, size.window)
    few[0, :-8] = MISSING
    few[1, -size.window // 2 :] = MISSING
    few[2, ::2] = MISSING
    few[3, :] = MISSING
    few[3, 5] = 1.0
    forecast = predict(network, few)
    assert np.isfinite(forecast).all()
    assert forecast.shape == (4, size.horizon, 9)


@pytest.mark.parametrize("gap", [slice(20, 32), slice(0, 30), slice(58, 64)])
def test_an_untrained_network_repeats_the_season_across_a_gap(gap: slice) -> None:
    """The gates are open to all candidates, so the season shows only in part; its phase must be right."""
    network = build_base_network(SHORT)
    at = np.arange(64 + 24)
    season = (20 * np.sin(2 * np.pi * at / 12)).astype(np.float32)
    window = season[np.newaxis, :64].copy()
    window[0, gap] = MISSING
    forecast = predict(network, window)[0, :, 4]
    assert np.corrcoef(forecast, season[64:])[0, 1] > 0.85
