"""Layers that read a window."""

from __future__ import annotations

import numpy as np

from model_service.training.backend import tf
from model_service.training.layers.window import QUANTILES_OF, SegmentView, squash, window_quantiles


def test_the_layer_finds_the_quantiles_of_the_last_readings() -> None:
    window = np.random.default_rng(0).normal(size=(20, 48)).cumsum(axis=1).astype(np.float32)
    window[10:] = np.round(window[10:])  # ties
    found = np.asarray(window_quantiles(tf.constant(window)))
    for column, (count, level) in enumerate(QUANTILES_OF[:4]):  # the others are found among the last 24 alone
        expected = np.quantile(window[:, -count:], level, axis=1, method="inverted_cdf")
        np.testing.assert_allclose(found[:, column], expected, atol=0.02)


def test_neighbouring_readings_of_a_long_window_are_averaged() -> None:
    scaled = np.arange(1, 13, dtype=np.float32)[np.newaxis] / 100
    figures = [np.zeros((1, 9), np.float32), np.zeros((1, 1), np.float32), np.zeros((1, 2), np.float32)]
    segments, _ = SegmentView(3, pooled=2)([scaled, *figures])
    seen = np.concatenate([np.asarray(segment)[0, :3] for segment in segments])
    np.testing.assert_allclose(seen, np.log1p((np.arange(6) * 2 + 1.5) / 100), rtol=1e-5)


def test_values_are_compressed_far_from_0_only() -> None:
    squashed = np.asarray(squash(np.float32([-1000, -0.001, 0, 0.001, 1000])))
    np.testing.assert_allclose(squashed[1:4], [-0.001, 0, 0.001], rtol=1e-2)
    np.testing.assert_allclose(squashed[[0, 4]], [-np.log(1001), np.log(1001)], rtol=1e-5)
