"""Layers for windows: scaling, quantiles, and the mixing of candidates.

All layers together run in the XNNPACK delegate of LiteRT. So they use few, large operations, dense products with
constant matrices in place of sorting or gathering, static shapes, and concatenations of at most five tensors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_service.training.backend import keras, tf

# A smaller scale means a constant window. Large enough that its inverse is finite in float32.
MIN_SCALE = 1e-30
# Added to spreads and deviations, in units of the scale, before they divide or their logarithm is taken.
MIN_SPREAD = 0.02
# (number of last readings, quantile) of the quantiles that the network uses. The numbers are odd, so that a median is a
# reading and does not depend on rounding.
QUANTILES_OF = (
    (11, 0.1), (11, 0.5), (11, 0.9), (23, 0.5), (47, 0.1), (47, 0.25), (47, 0.5), (47, 0.75), (47, 0.9),
)  # fmt: skip
MEDIANS = (1, 3, 6)
MIDDLE = 6
QUARTILES = (5, 7)
# Pairs of (upper, lower) indices of QUANTILES_OF whose difference is a width below or above the median.
BELOW, ABOVE = ((1, 0), (6, 4)), ((2, 1), (8, 6))
# A quantile of up to COUNTED readings is searched among the last AMONG, which halves the work.
COUNTED, AMONG = 48, 24
SHARPNESS = 3e3  # of the softmin that selects the reading
OUTSIDE = 100.0  # loss added to readings outside of the range of a quantile

Float32Array = NDArray[np.float32]


def squash(values: Any) -> Any:
    """Compress values: linear near 0, logarithmic far from 0."""
    size = tf.abs(values)
    return values / (size + 1e-9) * tf.math.log(1.0 + size)


def window_quantiles(windows: Any) -> Any:
    """The quantiles of QUANTILES_OF: (batch, quantiles). Has no gradient, because no earlier layer learns.

    A quantile is the reading with the least quantile loss. The softmin of the losses needs only sums of absolute
    differences; XNNPACK cannot sort.
    """
    counted, among = min(COUNTED, windows.shape[1]), min(AMONG, windows.shape[1])
    counts = np.array([min(count, counted) for count, _ in QUANTILES_OF])
    levels = np.array([level for _, level in QUANTILES_OF], dtype=np.float32)
    share = (np.arange(counted)[:, np.newaxis] >= counted - counts) * 0.5 / counts
    outside = np.where(np.arange(among)[:, np.newaxis] >= among - counts, 0.0, OUTSIDE)
    each = windows[:, -among:]
    apart = tf.abs(tf.reshape(each, [-1, among, 1]) - tf.reshape(windows[:, -counted:], [-1, 1, counted]))
    loss = tf.reshape(
        tf.matmul(tf.reshape(apart, [-1, counted]), share.astype(np.float32)), [-1, among, len(counts)]
    )
    # The loss of reading x at level q is the mean of |x - y| / 2 + (q - 1/2)(y - x); the mean of y is the same for all.
    loss += tf.reshape(each, [-1, among, 1]) * (0.5 - levels) + outside.astype(np.float32)
    chosen = tf.exp(SHARPNESS * (tf.reduce_min(loss, axis=1, keepdims=True) - loss))
    weighed = tf.reduce_sum(chosen * tf.reshape(each, [-1, among, 1]), axis=1)
    return tf.stop_gradient(weighed / tf.reduce_sum(chosen, axis=1))


class Scale(keras.layers.Layer):  # type: ignore[misc]
    """Scales a window: raw = scaled × scale + level.

    Input: (batch, window) raw readings. Outputs: (batch, window) scaled, (batch, 9) quantiles of the scaled readings,
    (batch, 1) level, (batch, 1) scale. The level is the median of the last 47 readings, the scale the mean absolute
    deviation. Shifting a window changes only its level.
    """

    def call(self, windows: Any) -> tuple[Any, Any, Any, Any]:
        last = windows[:, -1:]
        centred = windows - last  # first, so that float32 is precise enough for the rest
        scale = _mean(tf.abs(centred - _mean(centred))) + MIN_SCALE
        centred = centred / scale
        quantiles = window_quantiles(centred)
        middle = quantiles[:, MIDDLE : MIDDLE + 1]
        return centred - middle, quantiles - middle, last + middle * scale, scale


class View(keras.layers.Layer):  # type: ignore[misc]
    """Prepares the inputs of the learned layers.

    Outputs: the window in segments, a list of (batch, 2 × steps), in units of its scale and of its interquartile range
    (which shows the quiet part of a bursty window); and (batch, facts) figures about the window. Large values are
    compressed. pooled: number of neighbouring readings that are averaged. The window is padded in front to a whole
    number of segments.
    """

    def __init__(self, steps: int, pooled: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.steps, self.pooled = steps, pooled

    def call(self, parts: tuple[Any, Any, Any, Any]) -> tuple[list[Any], Any]:
        scaled, quantiles, deviation, changes = parts
        spread = spread_of(quantiles)
        window = scaled.shape[1]
        count = -(-window // (self.steps * self.pooled))
        padding = count * self.steps * self.pooled - window
        if padding:
            first = tf.matmul(scaled[:, :1], np.ones((1, padding), dtype=np.float32))
            scaled = tf.concat([first, scaled], axis=1)
        if self.pooled > 1:
            scaled = tf.reduce_mean(tf.reshape(scaled, [-1, count * self.steps, self.pooled]), axis=2)
        window = count * self.steps
        figures = tf.concat([quantiles, quantiles / spread, changes], axis=1)
        seen = squash(tf.concat([scaled, scaled / spread, figures], axis=1))
        segments = [
            tf.concat(
                [seen[:, start : start + self.steps], seen[:, window + start : window + start + self.steps]],
                1,
            )
            for start in range(0, window, self.steps)
        ]
        by_segment = tf.reshape(scaled, [-1, count, self.steps])
        swings = tf.abs(by_segment - tf.reduce_mean(by_segment, axis=2, keepdims=True))
        swings = tf.reduce_mean(swings, axis=2) + MIN_SPREAD
        sizes = tf.math.log(tf.concat([deviation + MIN_SPREAD, spread, swings], axis=1))
        return segments, tf.concat([seen[:, 2 * window :], sizes], axis=1)


class Swell(keras.layers.Layer):  # type: ignore[misc]
    """Scales the deviations of a forecast (batch, horizon) from its mean by 1 + share. share: (batch, 1)."""

    def call(self, parts: tuple[Any, Any]) -> Any:
        forecast, share = parts
        return forecast + share * (forecast - _mean(forecast))


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
        seen = tf.nn.relu(tf.matmul(quantiles, differences))
        shared = tf.concat([spread_of(quantiles), misfit, misfit * 0.0 + 1.0], axis=1)
        spreads = tf.reshape(tf.concat([seen[:, :2], shared, seen[:, 2:], shared], axis=1), [-1, 2, 5])
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


def spread_of(quantiles: Any) -> Any:
    """The interquartile range plus MIN_SPREAD: (batch, 1)."""
    low, high = QUARTILES
    return quantiles[:, high : high + 1] - quantiles[:, low : low + 1] + MIN_SPREAD


def _mean(values: Any) -> Any:
    return tf.reduce_mean(values, axis=1, keepdims=True)
