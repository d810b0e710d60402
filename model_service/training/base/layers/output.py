"""Layers that turn the values at the knots into quantiles of each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fncast.series.window import Float32Array
from model_service.training.backend import keras, tf


class Knots(keras.layers.Layer):  # type: ignore[misc]
    """Interpolates (batch, knots × rows) between the knots to (batch, rows, horizon).

    activation: applied at the knots; "softmax" makes the rows of a knot sum to 1, also between the knots.
    """

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
    return np.stack([np.interp(steps, knots, knot) for knot in np.eye(len(knots))]).astype(np.float32)


class Bands(keras.layers.Layer):  # type: ignore[misc]
    """Quantiles in raw units, which never cross: (batch, horizon, quantiles).

    Inputs: (batch, horizon) median; (batch, knots × (quantiles - 1)) logits of the widths from each quantile to the
    next; (batch, 1) unit of the widths, level and scale. Calibration sets `factors`.
    """

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
