from typing import Any

import numpy as np
import pytest

from model_service.training.backend import tf
from model_service.training.layers import (
    QUANTILES_OF,
    SeasonMix,
    SharedPoints,
    Swell,
    View,
    window_quantiles,
)
from model_service.training.network import build_network, segment_steps
from model_service.training.settings import CELLS, TrainingSettings
from model_service.training.trained import Trained, predict


def test_quantiles_never_cross(trained: Trained, windows: Any) -> None:
    forecast = predict(trained.network, windows)
    assert forecast.shape == (32, 6, 3)
    assert (np.diff(forecast, axis=2) >= 0).all()


def test_moves_with_its_window(trained: Trained) -> None:
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


@pytest.mark.parametrize(
    ("window", "horizon", "seasons"),
    [
        (672, 48, (48, 336)),
        (336, 96, (24, 168)),
        (700, 96, (350,)),
        (700, 96, (4, 350)),
        (700, 168, (24, 168)),
        (48, 336, (24,)),
        (2016, 96, (288,)),
        (10_000, 12, ()),
        pytest.param(10_000, 2_000, (4,), marks=pytest.mark.slow),
        pytest.param(4, 2_000, (), marks=pytest.mark.slow),
    ],
)
def test_weights_stay_below_100_000(window: int, horizon: int, seasons: tuple[int, ...]) -> None:
    for cell in CELLS:
        settings = TrainingSettings(window=window, horizon=horizon, seasons=seasons, cell=cell)
        assert build_network(settings).count_params() < 100_000


def test_the_default_network_is_small() -> None:
    assert build_network(TrainingSettings()).count_params() < 60_000


def test_segments_are_whole_seasons() -> None:
    assert segment_steps(48, ()) == 16
    assert segment_steps(168, (24,)) == 24
    assert segment_steps(1000, (24,)) == 72  # and no more than 14 of them
    assert segment_steps(700, (350,)) == 50  # nor so long that its weights outgrow all others


def test_quantiles_of_the_last_readings() -> None:
    window = np.random.default_rng(0).normal(size=(20, 48)).cumsum(axis=1).astype(np.float32)
    window[10:] = np.round(window[10:])  # ties
    found = np.asarray(window_quantiles(tf.constant(window)))
    for column, (count, level) in enumerate(QUANTILES_OF[:4]):  # the others are found among the last 24 alone
        expected = np.quantile(window[:, -count:], level, axis=1, method="inverted_cdf")
        np.testing.assert_allclose(found[:, column], expected, atol=0.02)


def test_many_seasons_in_the_horizon_share_a_mix() -> None:
    window = np.arange(12, dtype=np.float32)[np.newaxis]  # the seasons before: 0…2, 3…5, 6…8, 9…11
    chosen = np.float32([[0, 0, 0, 99], [99, 0, 0, 0]]).reshape(1, -1)
    mixed = SeasonMix(3, 11, mixes=2)([window, chosen])
    assert np.asarray(mixed)[0].round().tolist() == [9, 10, 11] * 2 + [0, 1, 2] + [0, 1]
    assert np.asarray(SeasonMix(3, 5, mixes=2)([window, chosen]))[0].round().tolist() == [9, 10, 11, 0, 1]


def test_swell_scales_the_deviations_from_the_mean() -> None:
    forecast, share = np.float32([[1, 3, 5], [1, 3, 5]]), np.float32([[0.5], [-1]])
    assert np.asarray(Swell()([forecast, share])).tolist() == [[0, 3, 6], [3, 3, 3]]


def test_neighbouring_steps_share_a_point() -> None:
    points = np.float32([[1, 2, 10, 20]])
    assert np.asarray(SharedPoints(5, 2)(points))[0].tolist() == [1, 1, 1, 2, 2, 10, 10, 10, 20, 20]


def test_neighbouring_readings_of_a_long_window_are_averaged() -> None:
    scaled = np.arange(1, 13, dtype=np.float32)[np.newaxis] / 100
    figures = [np.zeros((1, 9), np.float32), np.zeros((1, 1), np.float32), np.zeros((1, 2), np.float32)]
    segments, _ = View(3, pooled=2)([scaled, *figures])
    seen = np.concatenate([np.asarray(one)[0, :3] for one in segments])
    np.testing.assert_allclose(seen, np.log1p((np.arange(6) * 2 + 1.5) / 100), rtol=1e-5)
