"""Layers that combine candidates and widths into quantiles. As in window.py, they run in XNNPACK."""

from __future__ import annotations

from typing import Any

import numpy as np

from model_service.training.backend import keras, tf
from model_service.training.layers.window import MEDIANS, QUANTILES_OF, mean_of, spread_of

# Pairs of (upper, lower) indices of QUANTILES_OF whose difference is a width below or above the median.
BELOW, ABOVE = ((1, 0), (6, 4)), ((2, 1), (8, 6))


class Swell(keras.layers.Layer):  # type: ignore[misc]
    """Scales the deviations of a forecast (batch, horizon) from its mean by 1 + share. share: (batch, 1)."""

    def call(self, parts: tuple[Any, Any]) -> Any:
        forecast, share = parts
        return forecast + share * (forecast - mean_of(forecast))


class SeasonMix(keras.layers.Layer):  # type: ignore[misc]
    """Forecasts each step by the weighted mean of the same phase in earlier seasons.

    Inputs: (batch, window) scaled, (batch, mixes × seasons) logits. Output: (batch, horizon). If there are fewer mixes
    than seasons in the horizon, neighbouring seasons share a mix.
    """

    def __init__(self, season: int, horizon: int, mixes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.season, self.horizon, self.mixes = season, horizon, mixes

    def call(self, parts: tuple[Any, Any]) -> Any:
        scaled, logits = parts
        count = logits.shape[1] // self.mixes
        seasons = tf.reshape(scaled[:, -count * self.season :], [-1, count, self.season])
        weights = tf.nn.softmax(tf.reshape(logits, [-1, self.mixes, count]), axis=2)
        mixed = tf.reshape(tf.matmul(weights, seasons), [-1, self.mixes * self.season])
        ahead = -(-self.horizon // self.season)
        if self.mixes < ahead:
            steps = np.arange(self.horizon)
            at = steps // self.season * self.mixes // ahead * self.season + steps % self.season
            return tf.matmul(mixed, np.eye(self.mixes * self.season, dtype=np.float32)[:, at])
        return mixed[:, : self.horizon]


class SharedPoints(keras.layers.Layer):  # type: ignore[misc]
    """Expands (batch, points) to (batch, steps); neighbouring steps share a point.

    sides: number of independent rows of points, concatenated.
    """

    def __init__(self, steps: int, sides: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.steps, self.sides = steps, sides

    def call(self, points: Any) -> Any:
        count = points.shape[1] // self.sides
        shared = np.eye(count)[:, np.arange(self.steps) * count // self.steps]
        return tf.matmul(points, np.kron(np.eye(self.sides), shared).astype(np.float32))


class CandidateMix(keras.layers.Layer):  # type: ignore[misc]
    """Averages the candidates (medians, last reading, forecasts), weighted by gates: (batch, horizon).

    forecasts: a list of (batch, horizon). gates: (batch, candidates × mixes), from 0 to 1; neighbouring steps of the
    horizon share a mix.
    """

    def call(self, parts: tuple[Any, Any, Any, list[Any]]) -> Any:
        scaled, quantiles, gates, forecasts = parts
        horizon, count = forecasts[0].shape[1], len(forecasts) + len(MEDIANS) + 1
        constant = tf.concat([quantiles, scaled[:, -1:]], axis=1)
        chosen = np.eye(constant.shape[1], dtype=np.float32)[:, [*MEDIANS, -1]].repeat(horizon, axis=1)
        candidates = tf.concat([tf.matmul(constant, chosen), *forecasts], axis=1)
        mixes = gates.shape[1] // count
        if mixes < horizon:
            shared = np.eye(mixes)[:, np.arange(horizon) * mixes // horizon]
            gates = tf.matmul(gates, np.kron(np.eye(count), shared).astype(np.float32))
        weighed = tf.reduce_sum(tf.reshape(gates * candidates, [-1, count, horizon]), axis=1)
        return weighed / (tf.reduce_sum(tf.reshape(gates, [-1, count, horizon]), axis=1) + 1e-6)


class Widths(keras.layers.Layer):  # type: ignore[misc]
    """The widths of the band below and above the median, none negative: (batch, 2 × horizon).

    Each is a weighted mean of the spreads of the window on that side, by logits (batch, 2 × 5), times a positive factor
    per step, by its logit (batch, 2 × horizon).
    """

    def call(self, parts: tuple[Any, Any, Any, Any]) -> Any:
        quantiles, misfit, mix, factors = parts
        differences = np.zeros((len(QUANTILES_OF), 4), dtype=np.float32)
        for column, (upper, lower) in enumerate((*BELOW, *ABOVE)):
            differences[upper, column], differences[lower, column] = 1, -1
        distances = tf.nn.relu(tf.matmul(quantiles, differences))
        shared = tf.concat([spread_of(quantiles), misfit, misfit * 0.0 + 1.0], axis=1)
        spreads = tf.reshape(
            tf.concat([distances[:, :2], shared, distances[:, 2:], shared], axis=1), [-1, 2, 5]
        )
        mixed = tf.reduce_sum(tf.nn.softmax(tf.reshape(mix, [-1, 2, 5]), axis=2) * spreads, axis=2)
        sides = np.eye(2, dtype=np.float32).repeat(factors.shape[1] // 2, axis=1)
        return tf.nn.softplus(factors + 1.0) * tf.matmul(mixed, sides)


class Quantiles(keras.layers.Layer):  # type: ignore[misc]
    """Combines the median and the widths of the band to quantiles in raw units: (batch, horizon, 3).

    The quantiles never cross. Calibration sets `below` and `above`, factors of the widths per step.
    """

    def build(self, shape: Any) -> None:
        horizon = shape[0][1]
        self.below = self.add_weight(name="below", shape=(horizon,), initializer="ones", trainable=False)
        self.above = self.add_weight(name="above", shape=(horizon,), initializer="ones", trainable=False)

    def call(self, parts: tuple[Any, Any, Any, Any]) -> Any:
        middle, widths, level, scale = parts
        horizon = middle.shape[1]
        low = middle - widths[:, :horizon] * self.below
        high = middle + widths[:, horizon:] * self.above
        by_step = np.arange(3 * horizon).reshape(3, horizon).T.ravel()
        steps = tf.matmul(
            tf.concat([low, middle, high], axis=1), np.eye(3 * horizon, dtype=np.float32)[:, by_step]
        )
        return tf.reshape(steps * scale + level, [-1, horizon, 3])
