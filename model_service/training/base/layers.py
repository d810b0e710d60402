"""Layers for windows with missing readings: masks, scales, seasons and quantiles.

Each runs in the XNNPACK delegate of LiteRT: constant matrices in place of gathering and sorting, static shapes,
concatenations of at most five tensors. A missing reading has the value 0 and the mask 0, so that weighted sums need no
condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fncast.series.window import MAX_MAGNITUDE
from model_service.training.backend import keras, tf
from model_service.training.base.shape import COMPARED, DECAYS, LONG_COMPARED, RECENT

Float32Array = NDArray[np.float32]

MIN_SCALE = 1e-30
MIN_SPREAD = 0.02
# (time constant in readings, quantile). A reading counts by exp(-age / time constant).
QUANTILES_OF = (
    (3, 0.5), (6, 0.5), (12, 0.1), (12, 0.5), (12, 0.9), (24, 0.5), (60, 0.1), (60, 0.25), (60, 0.5), (60, 0.75),
    (60, 0.9),
)  # fmt: skip
MEDIANS = (0, 1, 3, 5, 8)
MIDDLE, QUARTILES = 8, (7, 9)
DIFFERENCES = ((3, 2), (4, 3), (8, 6), (10, 8), (9, 7))  # (upper, lower): spreads of the window
# The quantiles are readings among the last AMONG.
AMONG, COUNTED = 24, 56
SHARPNESS, OUTSIDE = 3e3, 100.0
SLOPES = (6.0, 20.0)  # time constants of the lines through the last readings
TINY = 1e-6


def squash(values: Any) -> Any:
    """Compress values: linear near 0, logarithmic far from 0."""
    size = tf.abs(values)
    return values / (size + 1e-9) * tf.math.log(1.0 + size)


def decaying(count: int, constant: float) -> Float32Array:
    """Weights exp(-age / constant) of the last `count` readings, oldest first: (count,)."""
    return np.exp(-np.arange(count)[::-1] / constant).astype(np.float32)


class Decode(keras.layers.Layer):  # type: ignore[misc]
    """Splits coded windows (batch, window) into values, 0 where missing, and the mask, 1 where present.

    A reading of at least 2 × MAX_MAGNITUDE is missing."""

    def call(self, windows: Any) -> tuple[Any, Any]:
        beyond = tf.abs(windows) * (1.0 / MAX_MAGNITUDE) - 1.0
        mask = 1.0 - tf.minimum(tf.nn.relu(beyond), 1.0)
        return windows * mask, mask


class MaskedScale(keras.layers.Layer):  # type: ignore[misc]
    """Scales a window: raw = scaled × scale + level.

    Inputs: (batch, window) values and mask. Outputs: (batch, window) scaled, 0 where missing; (batch, quantiles) of the
    last scaled readings; (batch, 1) level and scale. The level is a median of the last readings, the scale the mean
    absolute deviation of the window, where older readings count less."""

    def call(self, parts: tuple[Any, Any]) -> tuple[Any, Any, Any, Any]:
        values, mask = parts
        window = values.shape[1]
        recent = min(RECENT, window)
        later = np.tril(np.ones((recent, recent), dtype=np.float32), -1)
        known = mask[:, -recent:]
        is_last = known * tf.nn.relu(1.0 - tf.matmul(known, later))
        last = tf.reduce_sum(is_last * values[:, -recent:], axis=1, keepdims=True)
        centred = (values - last) * mask  # first, so that float32 is precise enough for the rest
        weights = mask * np.maximum(decaying(window, window / 2.0), 1e-3)
        weights = weights / (tf.reduce_sum(weights, axis=1, keepdims=True) + 1e-9)
        mean = tf.reduce_sum(weights * centred, axis=1, keepdims=True)
        scale = tf.reduce_sum(weights * tf.abs(centred - mean), axis=1, keepdims=True) + MIN_SCALE
        centred = centred / scale
        quantiles = masked_quantiles(centred[:, -COUNTED:], mask[:, -COUNTED:])
        middle = quantiles[:, MIDDLE : MIDDLE + 1]
        return (centred - middle) * mask, quantiles - middle, last + middle * scale, scale


def masked_quantiles(values: Any, mask: Any) -> Any:
    """Weighted quantiles, those of QUANTILES_OF: (batch, quantiles). Has no gradient.

    A quantile is the reading with the least quantile loss; XNNPACK cannot sort."""
    counted, among = values.shape[1], min(AMONG, values.shape[1])
    shares = np.stack([decaying(counted, constant) for constant, _ in QUANTILES_OF], axis=1)
    levels = np.array([level for _, level in QUANTILES_OF], dtype=np.float32)
    each = tf.reshape(values[:, -among:], [-1, among, 1])
    apart = tf.abs(each - tf.reshape(values, [-1, 1, counted])) * tf.reshape(mask, [-1, 1, counted])
    total = tf.matmul(mask, shares) + TINY
    loss = tf.reshape(tf.matmul(tf.reshape(apart, [-1, counted]), 0.5 * shares), [-1, among, len(levels)])
    loss = loss / tf.reshape(total, [-1, 1, len(levels)]) + each * (0.5 - levels)
    loss += OUTSIDE * (1.0 - tf.reshape(mask[:, -among:], [-1, among, 1]))
    chosen = tf.exp(SHARPNESS * (tf.reduce_min(loss, axis=1, keepdims=True) - loss))
    weighed = tf.reduce_sum(chosen * each, axis=1)
    return tf.stop_gradient(weighed / tf.reduce_sum(chosen, axis=1))


class Lines(keras.layers.Layer):  # type: ignore[misc]
    """Straight lines through the last readings, one for each of SLOPES.

    Inputs: (batch, readings) scaled and mask. Outputs: (batch, lines) values at the first step, and slopes a step."""

    def call(self, parts: tuple[Any, Any]) -> tuple[Any, Any]:
        scaled, mask = parts
        count = scaled.shape[1]
        at = np.arange(-count, 0)
        weights = np.stack([decaying(count, constant) for constant in SLOPES], axis=1)
        ages = at[:, np.newaxis] / np.array(SLOPES)
        of_mask = np.concatenate([weights, weights * ages, weights * ages**2], axis=1).astype(np.float32)
        of_values = np.concatenate([weights, weights * ages], axis=1).astype(np.float32)
        number = len(SLOPES)
        sums, moments = tf.matmul(mask, of_mask), tf.matmul(scaled, of_values)
        n, t, tt = sums[:, :number], sums[:, number : 2 * number], sums[:, 2 * number :]
        # A prior of two readings at slope 0 keeps lines through few readings flat.
        tt = tt + 0.3
        y, ty = moments[:, :number], moments[:, number:]
        slope = (n * ty - t * y) / (tf.abs(n * tt - t * t) + TINY)
        start = (y - slope * t) / (n + TINY)
        return start, slope / np.array(SLOPES, dtype=np.float32)


class ShortLags(keras.layers.Layer):  # type: ignore[misc]
    """How well each lag repeats in the last readings.

    Inputs: (batch, RECENT) scaled and mask. Outputs, each (batch, lags): the mean absolute deviation of the differences
    between readings one lag apart; the share of known differences; and the mean difference, of the last few, of the
    last dozen, and of all."""

    def __init__(self, lags: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags = len(lags)
        now = np.arange(RECENT - COMPARED, RECENT)
        one = np.eye(RECENT, dtype=np.float32)
        self.now = np.concatenate([one[:, now] for lag in lags], axis=1)
        self.before = np.concatenate([one[:, now - lag] for lag in lags], axis=1)

    def call(self, parts: tuple[Any, Any]) -> tuple[Any, ...]:
        scaled, mask = parts
        known = tf.nn.relu(tf.matmul(mask, self.now + self.before) - 1.0)
        difference = tf.matmul(scaled, self.now - self.before) * known
        shape = [-1, self.lags, COMPARED]
        return lag_figures(tf.reshape(difference, shape), tf.reshape(known, shape))


def lag_figures(difference: Any, known: Any) -> tuple[Any, ...]:
    """The figures of ShortLags. difference, known: (batch, lags, compared)."""
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

    Inputs: (batch, RECENT) scaled and mask, (batch, lags) weights. Outputs for each of DECAYS: (batch, horizon)
    forecast. A phase that was never seen is forecast as 0, the level."""

    def __init__(self, lags: Sequence[int], horizon: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags, self.horizon = len(lags), horizon
        self.folds = [np.concatenate([fold(lag, decay) for lag in lags], axis=1) for decay in DECAYS]
        phases = [np.eye(lag, dtype=np.float32)[:, np.arange(horizon) % lag] for lag in lags]
        self.ahead = np.concatenate(phases, axis=0)
        self.by_lag = np.repeat(np.eye(len(lags), dtype=np.float32), lags, axis=1)

    def call(self, parts: tuple[Any, Any, Any]) -> list[Any]:
        scaled, mask, weights = parts
        spread = tf.matmul(weights, self.by_lag)
        found = []
        for matrix in self.folds:
            seasons = tf.matmul(scaled, matrix) / (tf.matmul(mask, matrix) + TINY)
            found.append(tf.matmul(seasons * spread, self.ahead))
        return found


def fold(lag: int, decay: float) -> Float32Array:
    """A matrix (RECENT, lag): the sums of each phase of a season, where older seasons weigh less."""
    matrix = np.zeros((RECENT, lag), dtype=np.float32)
    for age in range(RECENT):
        season, back = divmod(age, lag)
        matrix[RECENT - 1 - age, lag - 1 - back] = max(decay**season, 1e-3 * 0.5**season)
    return matrix


class LongLags(keras.layers.Layer):  # type: ignore[misc]
    """As ShortLags, for given lags and a long window."""

    def __init__(self, lags: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags = tuple(lags)

    def call(self, parts: tuple[Any, Any]) -> tuple[Any, ...]:
        scaled, mask = parts
        window = scaled.shape[1]
        now, known_now = scaled[:, -LONG_COMPARED:], mask[:, -LONG_COMPARED:]
        rows, known = [], []
        for lag in self.lags:
            past = slice(window - LONG_COMPARED - lag, window - lag)
            both = known_now * mask[:, past]
            rows.append((now - scaled[:, past]) * both)
            known.append(both)
        shape = [-1, len(self.lags), LONG_COMPARED]
        return lag_figures(tf.reshape(joined(rows), shape), tf.reshape(joined(known), shape))


class LongSeasons(keras.layers.Layer):  # type: ignore[misc]
    """As ShortSeasons, for given lags and a long window: the last season, and the mean of the last seasons."""

    def __init__(self, lags: Sequence[int], horizon: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags, self.horizon = tuple(lags), horizon

    def call(self, parts: tuple[Any, Any, Any]) -> list[Any]:
        scaled, mask, weights = parts
        window, horizon = scaled.shape[1], self.horizon
        total_last: Any = 0.0
        total_mean: Any = 0.0
        for number, lag in enumerate(self.lags):
            steps = min(lag, horizon)
            sums: Any = 0.0
            counts: Any = TINY
            for back in range(1, min(window // lag, 4) + 1):
                start = window - back * lag
                weight = DECAYS[1] ** (back - 1)
                sums += weight * scaled[:, start : start + steps]
                counts += weight * mask[:, start : start + steps]
            mean = sums / counts
            start = window - lag
            known = mask[:, start : start + steps]
            last = scaled[:, start : start + steps] + (1.0 - known) * mean
            share = weights[:, number : number + 1]
            total_last += share * tiled(last, horizon)
            total_mean += share * tiled(mean, horizon)
        return [total_last, total_mean]


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
