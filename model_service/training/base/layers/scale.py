"""Layers that decode and scale windows with missing readings.

The layers of the base network run in the XNNPACK delegate of LiteRT: constant matrices in place of gathering and
sorting, static shapes, concatenations of at most five tensors. A missing reading has the value 0 and the mask 0, so
that weighted sums need no condition.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fncast.series.window import MAX_MAGNITUDE, Float32Array
from model_service.training.backend import keras, tf
from model_service.training.base.shape import RECENT

MIN_SCALE = 1e-30
MIN_SPREAD = 0.02
# (time constant in readings, quantile). A reading counts by exp(-age / time constant).
QUANTILES_OF = (
    (1, 0.5), (6, 0.5), (12, 0.1), (12, 0.5), (12, 0.9), (24, 0.5), (60, 0.1), (60, 0.25), (60, 0.5), (60, 0.75),
    (60, 0.9),
)  # fmt: skip
MEDIANS = (0, 1, 3, 5, 8)
MIDDLE, QUARTILES = 8, (7, 9)
DIFFERENCES = ((3, 2), (4, 3), (8, 6), (10, 8), (9, 7))  # (upper, lower): spreads of the window
# The quantiles are readings among the last AMONG, and count the last COUNTED.
AMONG, COUNTED = 16, 40
SHARPNESS, OUTSIDE = 3e3, 100.0
TINY = 1e-6


def decaying(count: int, constant: float) -> Float32Array:
    """Weights exp(-age / constant) of the last `count` readings, oldest first: (count,)."""
    return np.exp(-np.arange(count)[::-1] / constant).astype(np.float32)


class Decode(keras.layers.Layer):  # type: ignore[misc]
    """Splits coded windows (batch, window) into values, 0 where missing, and the mask, 1 where present.

    A reading of at least 2 × MAX_MAGNITUDE is missing.
    """

    def call(self, windows: Any) -> tuple[Any, Any]:
        beyond = tf.abs(windows) * (1.0 / MAX_MAGNITUDE) - 1.0
        mask = 1.0 - tf.minimum(tf.nn.relu(beyond), 1.0)
        return windows * mask, mask


class MaskedScale(keras.layers.Layer):  # type: ignore[misc]
    """Scales a window: raw = scaled × scale + level.

    Inputs: (batch, window) values and mask. Outputs: (batch, window) scaled, 0 where missing; (batch, quantiles) of the
    last scaled readings; (batch, 1) level and scale. The level is a median of the last readings, the scale the mean
    absolute deviation of the window, where older readings count less.
    """

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

    A quantile is the reading with the least quantile loss; XNNPACK cannot sort.
    """
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
