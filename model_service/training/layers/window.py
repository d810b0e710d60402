"""Layers that read a window: its scale, its quantiles, and the inputs of the learned layers.

All layers together run in the XNNPACK delegate of LiteRT. So they use few, large operations, dense products with
constant matrices in place of sorting or gathering, static shapes, and concatenations of at most five tensors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

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
MEDIANS = (1, 3, 6)  # indices of QUANTILES_OF, like MIDDLE and QUARTILES
MIDDLE = 6
QUARTILES = (5, 7)
# A quantile of up to COUNTED readings is searched among the last AMONG, which halves the work.
COUNTED, AMONG = 48, 24
SHARPNESS = 3e3  # of the softmin that selects the reading
OUTSIDE = 100.0  # loss added to readings outside of the range of a quantile


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
        scale = mean_of(tf.abs(centred - mean_of(centred))) + MIN_SCALE
        centred = centred / scale
        quantiles = window_quantiles(centred)
        middle = quantiles[:, MIDDLE : MIDDLE + 1]
        return centred - middle, quantiles - middle, last + middle * scale, scale


class SegmentView(keras.layers.Layer):  # type: ignore[misc]
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
        squashed = squash(tf.concat([scaled, scaled / spread, figures], axis=1))
        segments = [
            tf.concat(
                [
                    squashed[:, start : start + self.steps],
                    squashed[:, window + start : window + start + self.steps],
                ],
                1,
            )
            for start in range(0, window, self.steps)
        ]
        by_segment = tf.reshape(scaled, [-1, count, self.steps])
        swings = tf.abs(by_segment - tf.reduce_mean(by_segment, axis=2, keepdims=True))
        swings = tf.reduce_mean(swings, axis=2) + MIN_SPREAD
        sizes = tf.math.log(tf.concat([deviation + MIN_SPREAD, spread, swings], axis=1))
        return segments, tf.concat([squashed[:, 2 * window :], sizes], axis=1)


def spread_of(quantiles: Any) -> Any:
    """The interquartile range plus MIN_SPREAD: (batch, 1)."""
    low, high = QUARTILES
    return quantiles[:, high : high + 1] - quantiles[:, low : low + 1] + MIN_SPREAD


def mean_of(values: Any) -> Any:
    """The mean over the second axis: (batch, 1)."""
    return tf.reduce_mean(values, axis=1, keepdims=True)
