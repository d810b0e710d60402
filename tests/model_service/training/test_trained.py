from typing import Any

import numpy as np
import pytest

from model_service.training.trained import Trained, predict


def test_quantiles_never_cross(trained: Trained, windows: Any) -> None:
    forecast = predict(trained.network, windows)
    assert forecast.shape == (32, 6, 3)
    assert (np.diff(forecast, axis=2) >= 0).all()


def test_a_forecast_moves_and_scales_with_its_window(trained: Trained) -> None:
    rng = np.random.default_rng(0)
    windows = rng.normal(size=(16, 24)).cumsum(axis=1).astype(np.float32)
    expected = predict(trained.network, windows)
    np.testing.assert_allclose(predict(trained.network, windows + 1000) - 1000, expected, atol=2e-3)
    np.testing.assert_allclose(predict(trained.network, windows * 1e6) / 1e6, expected, rtol=1e-4, atol=3e-5)


@pytest.mark.parametrize("level", [0.0, 1e-20, -3.5, 1e12, 1e18])
def test_constant_windows_stay_constant(trained: Trained, level: float) -> None:
    windows = np.full((2, 24), level, dtype=np.float32)
    expected = windows[:, :6, np.newaxis].repeat(3, axis=2)
    np.testing.assert_allclose(predict(trained.network, windows), expected, atol=1e-25)


def test_huge_and_tiny_scales_are_finite(trained: Trained, windows: Any) -> None:
    unit = windows / np.abs(windows).max(axis=1, keepdims=True)
    for scale in (1e-20, 1e18):
        assert np.isfinite(predict(trained.network, unit * np.float32(scale))).all()


def test_a_forecast_does_not_depend_on_the_batch(trained: Trained, windows: Any) -> None:
    together = predict(trained.network, windows)
    alone = np.concatenate([predict(trained.network, window[np.newaxis]) for window in windows[:4]])
    np.testing.assert_allclose(alone, together[:4], rtol=1e-5, atol=1e-5 * np.abs(together).max())
