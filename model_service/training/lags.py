"""The layers that look for seasons: how well each lag repeats, and what it would forecast.

Both are one product of the window with a constant matrix, which costs less than to pick readings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_service.training.backend import keras, tf

# How many of the last readings are compared with those a lag before.
COMPARED = 24
# A smooth season is the mean of so many seasons at most, older ones weighing less; and it stands on the level of the
# last readings, older ones weighing less. Chosen on public monthly and quarterly series.
SEASONS, SEASON_DECAY, LEVEL_DECAY = 6, 0.7, 0.6
LEAST_LEVEL = 4
# Added to deviations, in units of the scale, before their logarithm is taken.
LEAST_DEVIATION = 0.02

Float64Array = NDArray[np.float64]


class LagFigures(keras.layers.Layer):  # type: ignore[misc]
    """(batch, window) scaled → for each lag the mean absolute deviation of the last differences of readings one lag
    apart (how well the lag repeats), (batch, lags); and the drift from one season to the next, (batch, 2 × lags): over
    all seasons that are looked at, and the latest."""

    def __init__(self, lags: Sequence[int], window: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags, self.seen = len(lags), readings_seen(lags, window)
        now = np.arange(max(lags), self.seen)
        self.compared = len(now)
        readings = np.eye(self.seen)
        differences = np.stack([readings[:, now] - readings[:, now - lag] for lag in lags], axis=1)
        deviations = differences - differences.mean(axis=2, keepdims=True)
        drifts = [[drift * lag for drift in _drifts(_seasons(lag, self.seen))] for lag in lags]
        maps = [
            deviations.reshape(self.seen, -1),
            *(np.stack(each, axis=1) for each in zip(*drifts, strict=True)),
        ]
        self.map = np.concatenate(maps, axis=1).astype(np.float32)

    def call(self, scaled: Any) -> tuple[Any, Any]:
        figures = tf.matmul(scaled[:, -self.seen :], self.map)
        end = self.lags * self.compared
        deviations = tf.reshape(tf.abs(figures[:, :end]), [-1, self.lags, self.compared])
        return tf.reduce_mean(deviations, axis=2), figures[:, end:]


class LagMix(keras.layers.Layer):  # type: ignore[misc]
    """Seasonal forecasts at several lags, weighed by how well each lag repeated and by what the network wishes.

    Each is the last season again, plus a share of what makes it the smooth season on the level of today, plus a share
    of its drift: with both it is Holt and Winters' additive method with fixed constants, which is linear. (batch,
    window) scaled, (batch, lags) deviations, (batch, 2 × lags) drifts, (batch, lags) wishes, (batch, 2) the shares →
    forecast (batch, horizon), and the deviation that the weighed lags had (batch, 1)."""

    def __init__(self, lags: Sequence[int], horizon: int, window: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags, self.horizon, self.seen = len(lags), horizon, readings_seen(lags, window)
        ahead = np.arange(horizon)
        last = [np.eye(self.seen)[:, self.seen - lag + ahead % lag] for lag in lags]
        still = [smooth_season(lag, self.seen, horizon) for lag in lags]
        maps = np.stack([*last, *(smooth - again for smooth, again in zip(still, last, strict=True))], axis=2)
        # Last the lags, first the steps: sums over neighbours in memory are the fast ones.
        self.map = maps.reshape(self.seen, -1).astype(np.float32)
        drifting = np.array([drift_ahead(lag, self.seen, horizon) for lag in lags])
        self.drifting = drifting.transpose(1, 0, 2).reshape(-1, horizon).astype(np.float32)

    def build(self, shape: Any) -> None:
        self.sharpness = self.add_weight(name="sharpness", shape=(self.lags,), initializer="ones")
        self.preference = self.add_weight(name="preference", shape=(self.lags,), initializer="zeros")

    def call(self, parts: tuple[Any, Any, Any, Any, Any]) -> tuple[Any, Any]:
        scaled, deviation, drifts, wishes, shares = parts
        fit = -4.0 * self.sharpness * tf.math.log(deviation + LEAST_DEVIATION)
        weights = tf.nn.softmax(fit + self.preference + wishes, axis=1)
        each = tf.reshape(tf.matmul(scaled[:, -self.seen :], self.map), [-1, self.horizon, 2 * self.lags])
        counted = tf.concat([weights, weights * shares[:, :1]], axis=1)
        forecast = tf.reduce_sum(each * tf.reshape(counted, [-1, 1, 2 * self.lags]), axis=2)
        drift = tf.concat([weights, weights], axis=1) * drifts
        forecast += tf.matmul(drift, self.drifting) * shares[:, 1:]
        return forecast, tf.reduce_sum(weights * deviation, axis=1, keepdims=True) + LEAST_DEVIATION


def smooth_season(lag: int, window: int, horizon: int) -> Float64Array:
    """The forecast without drift, as a map (window, horizon) that a window is multiplied by: the weighed mean of the
    seasons' deviations from their means, on the level of the last readings."""
    seasons = _seasons(lag, window)
    deviations = seasons - seasons.mean(axis=2, keepdims=True)
    season = np.einsum("k,wkl->wl", _decaying(seasons.shape[1], SEASON_DECAY), deviations)
    latest, weights = _latest(lag, window)
    level = (np.eye(window)[:, latest] - season[:, latest % lag]) @ weights
    return np.asarray(level[:, np.newaxis] + season[:, np.arange(horizon) % lag])


def drift_ahead(lag: int, window: int, horizon: int) -> Float64Array:
    """What each of the two drifts of LagFigures, one season's, adds at each step: (2, horizon).

    Half of either is the drift that goes on; that over all seasons is also taken out of the season's own shape."""
    ahead = np.arange(horizon)
    middle = np.arange(lag) - (lag - 1) / 2
    latest, weights = _latest(lag, window)
    going_on = ahead + 1 - (latest + 1) @ weights
    from_shape = middle[latest % lag] @ weights - middle[ahead % lag]
    return np.stack([going_on / 2 + from_shape, going_on / 2]) / lag


def _seasons(lag: int, window: int) -> Float64Array:
    """Maps to the readings of the last seasons, oldest first: (window, seasons, lag)."""
    count = min(SEASONS, window // lag)
    return np.eye(window)[:, window - count * lag :].reshape(window, count, lag)


def _drifts(seasons: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Maps to the drift a step, over all seasons and between the last two: (window,) each, 0 where there is one."""
    means, lag = seasons.mean(axis=2), seasons.shape[2]
    if means.shape[1] == 1:
        return 0 * means[:, 0], 0 * means[:, 0]
    over_all = (means[:, -1] - means[:, 0]) / ((means.shape[1] - 1) * lag)
    return over_all, (means[:, -1] - means[:, -2]) / lag


def _latest(lag: int, window: int) -> tuple[NDArray[np.int64], Float64Array]:
    """The readings that the level is taken from, counted from the end (-1 is the last), and their weights."""
    latest = np.arange(-min(window, max(lag, LEAST_LEVEL)), 0)
    return latest, _decaying(len(latest), LEVEL_DECAY)


def readings_seen(lags: Sequence[int], window: int) -> int:
    """In how many of the last readings seasons are looked for."""
    return min(window, COMPARED + max(lags))


def _decaying(count: int, decay: float) -> Float64Array:
    """Weights of sum 1, the last the largest."""
    weights = decay ** np.arange(count)[::-1]
    return np.asarray(weights / weights.sum())
