"""Layers for seasons: how well the readings repeat at each lag, and the forecast of each lag.

Both are one product of the window with a constant matrix, which is cheaper than selecting readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fncast.series.window import Float64Array
from model_service.training.backend import keras, tf

# Number of last readings that are compared with the readings one lag earlier.
COMPARED = 24
# A smooth season is the weighted mean of at most SEASONS seasons, on the weighted mean level of the last readings.
# Older seasons and readings weigh less, by these factors.
SEASONS, SEASON_DECAY, LEVEL_DECAY = 6, 0.7, 0.6
MIN_LEVEL = 4
# Added to deviations, in units of the scale, before their logarithm is taken.
MIN_DEVIATION = 0.02


class LagFigures(keras.layers.Layer):  # type: ignore[misc]
    """Measures how well each lag repeats.

    Input: (batch, window) scaled. Outputs: (batch, lags) the mean absolute deviation of the differences between
    readings one lag apart; (batch, 2 × lags) the drift from one season to the next, over all seasons considered and
    over the last two.
    """

    def __init__(self, lags: Sequence[int], window: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags, self.used = len(lags), readings_used(lags, window)
        now = np.arange(max(lags), self.used)
        self.compared = len(now)
        readings = np.eye(self.used)
        differences = np.stack([readings[:, now] - readings[:, now - lag] for lag in lags], axis=1)
        deviations = differences - differences.mean(axis=2, keepdims=True)
        drifts = [[drift * lag for drift in _drifts(_seasons(lag, self.used))] for lag in lags]
        maps = [
            deviations.reshape(self.used, -1),
            *(np.stack(each, axis=1) for each in zip(*drifts, strict=True)),
        ]
        self.map = np.concatenate(maps, axis=1).astype(np.float32)

    def call(self, scaled: Any) -> tuple[Any, Any]:
        figures = tf.matmul(scaled[:, -self.used :], self.map)
        end = self.lags * self.compared
        deviations = tf.reshape(tf.abs(figures[:, :end]), [-1, self.lags, self.compared])
        return tf.reduce_mean(deviations, axis=2), figures[:, end:]


class LagMix(keras.layers.Layer):  # type: ignore[misc]
    """Averages seasonal forecasts at several lags, weighted by how well each lag repeated and by learned logits.

    The forecast of a lag repeats the last season. A share of the difference to the smooth season, and a share of the
    drift, are added. With both shares at 1 this is the additive method of Holt and Winters with fixed constants.

    Inputs: (batch, window) scaled, (batch, lags) deviations, (batch, 2 × lags) drifts, (batch, lags) logits, (batch, 2)
    shares. Outputs: (batch, horizon) forecast, (batch, 1) weighted deviation of the lags.
    """

    def __init__(self, lags: Sequence[int], horizon: int, window: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags, self.horizon, self.used = len(lags), horizon, readings_used(lags, window)
        ahead = np.arange(horizon)
        last = [np.eye(self.used)[:, self.used - lag + ahead % lag] for lag in lags]
        still = [smooth_season(lag, self.used, horizon) for lag in lags]
        maps = np.stack([*last, *(smooth - again for smooth, again in zip(still, last, strict=True))], axis=2)
        # The lags are the last axis, because sums over adjacent memory are fast.
        self.map = maps.reshape(self.used, -1).astype(np.float32)
        drifting = np.array([drift_ahead(lag, self.used, horizon) for lag in lags])
        self.drifting = drifting.transpose(1, 0, 2).reshape(-1, horizon).astype(np.float32)

    def build(self, shape: Any) -> None:
        self.sharpness = self.add_weight(name="sharpness", shape=(self.lags,), initializer="ones")
        self.preference = self.add_weight(name="preference", shape=(self.lags,), initializer="zeros")

    def call(self, parts: tuple[Any, Any, Any, Any, Any]) -> tuple[Any, Any]:
        scaled, deviation, drifts, logits, shares = parts
        fit = -4.0 * self.sharpness * tf.math.log(deviation + MIN_DEVIATION)
        weights = tf.nn.softmax(fit + self.preference + logits, axis=1)
        each = tf.reshape(tf.matmul(scaled[:, -self.used :], self.map), [-1, self.horizon, 2 * self.lags])
        counted = tf.concat([weights, weights * shares[:, :1]], axis=1)
        forecast = tf.reduce_sum(each * tf.reshape(counted, [-1, 1, 2 * self.lags]), axis=2)
        drift = tf.concat([weights, weights], axis=1) * drifts
        forecast += tf.matmul(drift, self.drifting) * shares[:, 1:]
        return forecast, tf.reduce_sum(weights * deviation, axis=1, keepdims=True) + MIN_DEVIATION


def smooth_season(lag: int, window: int, horizon: int) -> Float64Array:
    """The forecast without drift, as a matrix (window, horizon) to multiply a window by.

    It is the weighted mean of the seasons' deviations from their means, on the level of the last readings.
    """
    seasons = _seasons(lag, window)
    deviations = seasons - seasons.mean(axis=2, keepdims=True)
    season = np.einsum("k,wkl->wl", _decaying(seasons.shape[1], SEASON_DECAY), deviations)
    latest, weights = _latest(lag, window)
    level = (np.eye(window)[:, latest] - season[:, latest % lag]) @ weights
    return np.asarray(level[:, np.newaxis] + season[:, np.arange(horizon) % lag])


def drift_ahead(lag: int, window: int, horizon: int) -> Float64Array:
    """How much each of the two drifts of LagFigures adds at each step of the horizon: (2, horizon).

    Half of each drift continues. The drift over all seasons is also removed from the shape of the season.
    """
    ahead = np.arange(horizon)
    middle = np.arange(lag) - (lag - 1) / 2
    latest, weights = _latest(lag, window)
    going_on = ahead + 1 - (latest + 1) @ weights
    from_shape = middle[latest % lag] @ weights - middle[ahead % lag]
    return np.stack([going_on / 2 + from_shape, going_on / 2]) / lag


def _seasons(lag: int, window: int) -> Float64Array:
    """Matrices that select the last seasons of a window, oldest first: (window, seasons, lag)."""
    count = min(SEASONS, window // lag)
    return np.eye(window)[:, window - count * lag :].reshape(window, count, lag)


def _drifts(seasons: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Vectors (window,) for the drift per step: over all seasons, and between the last two. 0 for a single season."""
    means, lag = seasons.mean(axis=2), seasons.shape[2]
    if means.shape[1] == 1:
        return 0 * means[:, 0], 0 * means[:, 0]
    over_all = (means[:, -1] - means[:, 0]) / ((means.shape[1] - 1) * lag)
    return over_all, (means[:, -1] - means[:, -2]) / lag


def _latest(lag: int, window: int) -> tuple[NDArray[np.int64], Float64Array]:
    """The indices of the readings that define the level (-1 is the last reading), and their weights."""
    latest = np.arange(-min(window, max(lag, MIN_LEVEL)), 0)
    return latest, _decaying(len(latest), LEVEL_DECAY)


def readings_used(lags: Sequence[int], window: int) -> int:
    """The number of last readings that are searched for seasons."""
    return min(window, COMPARED + max(lags))


def _decaying(count: int, decay: float) -> Float64Array:
    """Weights with sum 1; the last is the largest."""
    weights = decay ** np.arange(count)[::-1]
    return np.asarray(weights / weights.sum())
