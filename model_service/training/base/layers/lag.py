"""Layers that find which lags repeat, and forecast by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fncast.series.window import Float32Array
from model_service.training.backend import keras, tf
from model_service.training.base.layers.scale import TINY, decaying
from model_service.training.base.shape import DECAY, RECENT

# Of a reading in a seasonal forecast: enough to count where all later seasons are missing.
LEAST_WEIGHT = 1e-4


class Lags(keras.layers.Layer):  # type: ignore[misc]
    """How well each lag repeats in the last readings.

    Inputs: (batch, window) scaled and mask. Outputs, each (batch, lags): the mean absolute deviation of the differences
    between readings one lag apart; the share of known differences; and the mean difference, of the last few, of the
    last dozen, and of all. compared: the readings that are compared with those one lag before.
    """

    def __init__(self, lags: Sequence[int], compared: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags, self.compared = tuple(lags), compared

    def call(self, parts: tuple[Any, Any]) -> tuple[Any, ...]:
        scaled, mask = parts
        known = self._last(mask) * self._before(mask)
        return lag_figures((self._last(scaled) - self._before(scaled)) * known, known)

    def _last(self, values: Any) -> Any:
        """The compared readings: (batch, 1, compared)."""
        return tf.reshape(values[:, -self.compared :], [-1, 1, self.compared])

    def _before(self, values: Any) -> Any:
        """The readings one lag before: (batch, lags, compared)."""
        end = values.shape[1]
        slices = [values[:, end - lag - self.compared : end - lag] for lag in self.lags]
        return tf.reshape(joined(slices), [-1, len(self.lags), self.compared])


def lag_figures(difference: Any, known: Any) -> tuple[Any, ...]:
    """The figures of Lags. difference, known: (batch, lags, compared)."""
    lags, compared = difference.shape[1], difference.shape[2]
    latest = np.stack(
        [np.ones(compared, dtype=np.float32), decaying(compared, 2.0), decaying(compared, 8.0)], axis=1
    )
    sums = tf.reshape(tf.matmul(tf.reshape(difference, [-1, compared]), latest), [-1, lags, 3])
    counts = tf.reshape(tf.matmul(tf.reshape(known, [-1, compared]), latest), [-1, lags, 3])
    means = sums / (counts + np.array([1.0, 0.3, 0.3], dtype=np.float32))
    count = tf.reshape(counts[:, :, :1], [-1, lags])
    apart = tf.reduce_sum(tf.abs(difference - means[:, :, :1] * known), axis=2)
    # A prior of two differences of the window's own size: few pairs that happen to agree are not a season.
    deviation = (apart + 2.0) / (count + 2.0)
    short, middle, mean = (tf.reshape(means[:, :, at : at + 1], [-1, lags]) for at in (1, 2, 0))
    return deviation, count / compared, short, middle, mean


class ShortSeasons(keras.layers.Layer):  # type: ignore[misc]
    """Seasonal forecasts of a mix of lags.

    Inputs: (batch, RECENT) scaled and mask, (batch, lags) weights. Output: (batch, horizon) forecast. A phase that was
    never seen is forecast as 0, the level.
    """

    def __init__(self, lags: Sequence[int], horizon: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags, self.horizon = len(lags), horizon
        phases = [min(lag, horizon) for lag in lags]  # only these are forecast
        self.fold = np.concatenate(
            [fold(lag)[:, :count] for lag, count in zip(lags, phases, strict=True)], axis=1
        )
        ahead = [np.eye(count, lag, dtype=np.float32) for lag, count in zip(lags, phases, strict=True)]
        self.ahead = np.concatenate([each[:, np.arange(horizon) % each.shape[1]] for each in ahead], axis=0)
        self.by_lag = np.repeat(np.eye(len(lags), dtype=np.float32), phases, axis=1)

    def call(self, parts: tuple[Any, Any, Any]) -> Any:
        scaled, mask, weights = parts
        seasons = tf.matmul(scaled, self.fold) / (tf.matmul(mask, self.fold) + TINY)
        return tf.matmul(seasons * tf.matmul(weights, self.by_lag), self.ahead)


def fold(lag: int) -> Float32Array:
    """A matrix (RECENT, lag): the sums of each phase of a season, where older seasons weigh less, but never nothing."""
    matrix = np.zeros((RECENT, lag), dtype=np.float32)
    for age in range(RECENT):
        season, back = divmod(age, lag)
        matrix[RECENT - 1 - age, lag - 1 - back] = max(DECAY**season, LEAST_WEIGHT)
    return matrix


class LongSeasons(keras.layers.Layer):  # type: ignore[misc]
    """As ShortSeasons, for given lags and a long window, by the last four seasons."""

    def __init__(self, lags: Sequence[int], horizon: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags, self.horizon = tuple(lags), horizon

    def call(self, parts: tuple[Any, Any, Any]) -> Any:
        scaled, mask, weights = parts
        window, horizon = scaled.shape[1], self.horizon
        total: Any = 0.0
        for number, lag in enumerate(self.lags):
            steps = min(lag, horizon)
            sums: Any = 0.0
            counts: Any = TINY
            for back in range(1, min(window // lag, 4) + 1):
                start = window - back * lag
                weight = DECAY ** (back - 1)
                sums += weight * scaled[:, start : start + steps]
                counts += weight * mask[:, start : start + steps]
            total += weights[:, number : number + 1] * tiled(sums / counts, horizon)
        return total


def tiled(values: Any, steps: int) -> Any:
    """Repeat (batch, season) to (batch, steps)."""
    length = values.shape[1]
    if length >= steps:
        return values
    whole, rest = divmod(steps, length)
    return joined([values] * whole + ([values[:, :rest]] if rest else []))


def joined(parts: Sequence[Any]) -> Any:
    """Concatenate along the second axis, five tensors at a time."""
    parts = list(parts)
    while len(parts) > 1:
        parts = [
            tf.concat(parts[at : at + 4], axis=1) if at + 1 < len(parts) else parts[at]
            for at in range(0, len(parts), 4)
        ]
    return parts[0]
