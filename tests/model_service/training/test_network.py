from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model_service.training.backend import keras
from model_service.training.network import build_network, lags, segment_steps
from model_service.training.settings import TrainingSettings
from model_service.training.trainer import Trained, predict


def test_quantiles_never_cross(trained: Trained, windows: Any) -> None:
    forecast = predict(trained.network, windows)
    assert forecast.shape == (32, 6, 3)
    assert (np.diff(forecast, axis=2) >= 0).all()


def test_moves_with_its_window(trained: Trained) -> None:
    rng = np.random.default_rng(0)
    windows = rng.normal(size=(16, 24)).cumsum(axis=1).astype(np.float32)
    expected = predict(trained.network, windows)
    np.testing.assert_allclose(predict(trained.network, windows + 1000) - 1000, expected, atol=2e-3)
    np.testing.assert_allclose(predict(trained.network, windows * 1e6) / 1e6, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("level", [0.0, 1e-20, -3.5, 1e12, 1e18])
def test_constant_windows_stay_constant(trained: Trained, level: float) -> None:
    windows = np.full((2, 24), level, dtype=np.float32)
    expected = windows[:, :6, np.newaxis].repeat(3, axis=2)
    np.testing.assert_allclose(predict(trained.network, windows), expected, atol=1e-25)


def test_huge_and_tiny_scales_are_finite(trained: Trained, windows: Any) -> None:
    unit = windows / np.abs(windows).max(axis=1, keepdims=True)
    for scale in (1e-20, 1e18):
        assert np.isfinite(predict(trained.network, unit * np.float32(scale))).all()


def test_an_answer_does_not_depend_on_the_batch(trained: Trained, windows: Any) -> None:
    together = predict(trained.network, windows)
    alone = np.concatenate([predict(trained.network, window[np.newaxis]) for window in windows])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-5 * np.abs(together).max())


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize(
    ("window", "horizon", "seasons"),
    [(4, 1, ()), (47, 5, (7,)), (100, 30, (24, 48, 100)), (336, 48, (48, 336))],
)
def test_any_shape(cell: Any, window: int, horizon: int, seasons: tuple[int, ...]) -> None:
    settings = TrainingSettings(window=window, horizon=horizon, seasons=seasons, units=8, cell=cell)
    network = build_network(settings)
    answer = predict(network, np.random.default_rng(0).normal(size=(3, window)).astype(np.float32))
    assert answer.shape == (3, horizon, 3)
    assert np.isfinite(answer).all()


def test_weights_stay_below_100_000() -> None:
    default = TrainingSettings()
    long = replace(default, window=672, horizon=48, seasons=(48, 336))
    assert build_network(default).count_params() < 50_000
    assert build_network(long).count_params() < 100_000


def test_lags_and_segments() -> None:
    assert lags(48, ()) == tuple(range(1, 25))
    assert lags(10, (8, 24)) == (1, 2, 3, 4, 5, 8)
    assert segment_steps(48, ()) == 12
    assert segment_steps(168, (24,)) == 24
    assert segment_steps(1000, (24,)) == 72  # whole seasons, and no more than 14 segments


def test_the_base_finds_the_season_of_a_window() -> None:
    network = build_network(TrainingSettings(window=48, horizon=12))
    outputs = [network.get_layer("base").output[0], network.get_layer("scale").output]
    season = np.sin(2 * np.pi * np.arange(60) / 24)
    base, (_, level, scale) = keras.Model(network.input, outputs)(season[np.newaxis, :48].astype(np.float32))
    np.testing.assert_allclose(np.asarray(base * scale + level)[0], season[48:], atol=1e-3)
