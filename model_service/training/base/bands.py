"""Layers of the output: interpolation between knots of the horizon, and the quantiles around the median."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_service.training.backend import keras, tf
from model_service.training.base.shape import MISSING_KNOTS, history_knots

Float32Array = NDArray[np.float32]

# Readings of a window are grouped, so that finding its first one stays cheap in a long window.
GROUPS = 64


class Widening(keras.layers.Layer):  # type: ignore[misc]
    """How much wider the band is for a short history, and for one with gaps: (batch, 1).

    Input: the mask (batch, window). The factor is interpolated in a table over the number of known readings, and in one
    over the share of missing readings after the first known one. Calibration sets both."""

    def build(self, input_shape: Any) -> None:
        self.window = int(input_shape[1])
        self.knots = history_knots(self.window)
        self.by_history = self.add_weight(
            name="by_history", shape=(len(self.knots), 1), initializer="ones", trainable=False
        )
        self.by_missing = self.add_weight(
            name="by_missing", shape=(len(MISSING_KNOTS), 1), initializer="ones", trainable=False
        )

    def call(self, present: Any) -> Any:
        groups = min(GROUPS, self.window)
        steps = self.window // groups
        group = np.repeat(np.eye(groups, dtype=np.float32), steps, axis=0)
        known = tf.reduce_sum(present, axis=1, keepdims=True)
        begun = tf.minimum(
            tf.matmul(tf.matmul(present, group), np.triu(np.ones((groups, groups), np.float32))), 1.0
        )
        length = steps * tf.reduce_sum(begun, axis=1, keepdims=True)
        missing = tf.nn.relu(1.0 - known / (length + 1e-6))
        history = hats(tf.math.log(known + 1e-6), np.log(self.knots))
        return tf.matmul(history, self.by_history) * tf.matmul(hats(missing, MISSING_KNOTS), self.by_missing)


def hats(values: Any, knots: Sequence[float]) -> Any:
    """The weights (batch, knots) that interpolate at values (batch, 1); beyond the knots the nearest one counts."""
    at = np.array(knots, dtype=np.float32)
    gaps = np.diff(at)
    inside = tf.minimum(tf.maximum(values, at[0]), at[-1])
    above = np.concatenate([gaps[:1], gaps]).astype(np.float32)
    below = np.concatenate([gaps, gaps[-1:]]).astype(np.float32)
    apart = inside - at
    return tf.nn.relu(1.0 - tf.nn.relu(apart) / below - tf.nn.relu(-apart) / above)


class Knots(keras.layers.Layer):  # type: ignore[misc]
    """Interpolates (batch, KNOTS × rows) between the knots to (batch, rows, horizon).

    activation: applied at the knots; "softmax" makes the rows of a knot sum to 1, also between the knots."""

    def __init__(
        self, knots: Sequence[int], horizon: int, rows: int, activation: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rows, self.count, self.horizon, self.activation = rows, len(knots), horizon, activation
        self.matrix = between(knots, horizon)

    def call(self, values: Any) -> Any:
        at_knots = tf.reshape(values, [-1, self.count, self.rows])
        if self.activation == "softmax":
            at_knots = tf.nn.softmax(at_knots, axis=2)
        elif self.activation == "sigmoid":
            at_knots = tf.sigmoid(at_knots)
        by_row = tf.reshape(tf.transpose(at_knots, [0, 2, 1]), [-1, self.count])
        return tf.reshape(tf.matmul(by_row, self.matrix), [-1, self.rows, self.horizon])


def between(knots: Sequence[int], horizon: int) -> Float32Array:
    """The matrix (knots, horizon) that interpolates."""
    steps = np.arange(horizon)
    return np.stack([np.interp(steps, knots, one) for one in np.eye(len(knots))]).astype(np.float32)


class Bands(keras.layers.Layer):  # type: ignore[misc]
    """Quantiles in raw units, which never cross: (batch, horizon, quantiles).

    Inputs: (batch, horizon) median; (batch, knots × (quantiles - 1)) logits of the widths from each quantile to the
    next; (batch, 1) unit of the widths, level and scale. Calibration sets `factors`."""

    def __init__(self, knots: Sequence[int], horizon: int, quantiles: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count, self.sides, self.horizon = len(knots), quantiles - 1, horizon
        half = self.sides // 2
        # Row q of `signs` sums the widths between quantile q and the median.
        signs = np.zeros((quantiles, self.sides), dtype=np.float32)
        for distance in range(1, half + 1):
            signs[half - distance, half - distance : half] = -1.0
            signs[half + distance, half : half + distance] = 1.0
        self.signs = signs.T.copy()
        self.matrix = between(knots, horizon)

    def build(self, shape: Any) -> None:
        self.factors = self.add_weight(
            name="factors", shape=(self.count, self.sides), initializer="ones", trainable=False
        )

    def call(self, parts: tuple[Any, Any, Any, Any, Any]) -> Any:
        median, growth, unit, level, scale = parts
        quantiles = self.sides + 1
        logits = tf.reshape(growth, [-1, self.count, self.sides])
        # The softplus function; XNNPACK has none.
        widths = (tf.nn.relu(logits) + tf.math.log(1.0 + tf.exp(-tf.abs(logits)))) * self.factors
        offsets = tf.matmul(tf.reshape(widths, [-1, self.sides]), self.signs)
        offsets = tf.reshape(offsets, [-1, self.count, quantiles]) * tf.reshape(
            0.5 * unit * scale, [-1, 1, 1]
        )
        by_quantile = tf.reshape(tf.transpose(offsets, [0, 2, 1]), [-1, self.count])
        by_quantile = tf.reshape(tf.matmul(by_quantile, self.matrix), [-1, quantiles, self.horizon])
        raw = tf.reshape(median * scale + level, [-1, 1, self.horizon])
        return tf.transpose(raw + by_quantile, [0, 2, 1])
