import numpy as np

from model_service.training.backend import tf
from model_service.training.layers import (
    QUANTILES_OF,
    SeasonMix,
    SharedPoints,
    Swell,
    View,
    window_quantiles,
)


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
    seen = np.concatenate([np.asarray(segment)[0, :3] for segment in segments])
    np.testing.assert_allclose(seen, np.log1p((np.arange(6) * 2 + 1.5) / 100), rtol=1e-5)
