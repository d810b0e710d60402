"""Layers of the base network: figures of the window for the RNN, and the sum of the candidates for the median."""

from __future__ import annotations

from typing import Any

import numpy as np

from model_service.training.backend import keras, tf
from model_service.training.base.layers.line import SLOPES
from model_service.training.base.layers.scale import MEDIANS, MIN_SPREAD
from model_service.training.layers.window import squash

RAMP = 1.0 / 8.0  # slopes are in units of eight steps


class Mix(keras.layers.Layer):  # type: ignore[misc]
    """Weights the lags by how well they repeat and by learned logits.

    Inputs: (batch, lags) logits and the five figures of Lags. Outputs: the weights, (batch, lags), which sum to 1; the
    weighted deviation, (batch, 1); and the weighted differences, (batch, 3): of the last few readings, of the last
    dozen, and of all as a drift in eight steps.
    """

    def __init__(self, lags: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags = lags

    def build(self, shape: Any) -> None:
        count = len(self.lags)
        self.sharpness = self.add_weight(name="sharpness", shape=(count,), initializer="ones")
        self.preference = self.add_weight(name="preference", shape=(count,), initializer="zeros")

    def call(self, parts: list[Any]) -> tuple[Any, Any, Any]:
        logits, deviation, _, short, middle, mean = parts
        fit = -4.0 * self.sharpness * tf.math.log(deviation + MIN_SPREAD)
        weights = tf.nn.softmax(fit + self.preference + logits, axis=1)
        per_step = mean * (8.0 / np.array(self.lags, dtype=np.float32))
        each = [
            tf.reduce_sum(weights * figures, axis=1, keepdims=True)
            for figures in (deviation, short, middle, per_step)
        ]
        return weights, each[0] + MIN_SPREAD, tf.concat(each[1:], axis=1)


class BaseView(keras.layers.Layer):  # type: ignore[misc]
    """Cuts the window into segments for the RNN.

    Inputs: (batch, window) scaled and mask, (batch, 1) spread. Output: a list of (batch, inputs): the values in two
    scales and the mask.
    """

    def __init__(self, segments: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.segments = segments

    def call(self, parts: tuple[Any, Any, Any]) -> list[Any]:
        scaled, mask, spread = parts
        steps = scaled.shape[1] // self.segments
        coarse, fine = squash(scaled), squash(scaled / spread)
        cuts = [slice(at, at + steps) for at in range(0, scaled.shape[1], steps)]
        return [tf.concat([coarse[:, cut], fine[:, cut], mask[:, cut]], axis=1) for cut in cuts]


class Facts(keras.layers.Layer):  # type: ignore[misc]
    """Figures about the window for the learned layers: (batch, facts)."""

    def call(self, parts: tuple[Any, ...]) -> Any:
        mask, quantiles, spread, deviation, known, short, middle, mean, slopes, starts = parts
        window = mask.shape[1]
        shares = np.stack(
            [np.arange(window) >= window - count for count in (1, 2, 4, 8, 16, 32, window)], axis=1
        ) / np.array([1, 2, 4, 8, 16, 32, window])
        present = tf.matmul(mask, shares.astype(np.float32))
        sized = squash(tf.concat([quantiles, quantiles / spread, slopes * 8.0, starts], axis=1))
        shifts = squash(tf.concat([short, middle, mean], axis=1))
        logs = tf.math.log(tf.concat([deviation + MIN_SPREAD, spread], axis=1))
        return tf.concat([present, sized, shifts, logs, known], axis=1)


class CandidateSum(keras.layers.Layer):  # type: ignore[misc]
    """The median in scaled units: (batch, horizon).

    Inputs: the seasonal forecast (batch, horizon); (batch, 3) shifts of the mix; medians; starts and slopes of the
    lines; (batch, candidates, horizon) gates that sum to 1; (batch, 3, horizon) shares of the shifts; (batch, 1) the
    deviation of the mix, and (batch, 1, horizon) a correction in units of it.
    """

    def call(self, parts: tuple[Any, ...]) -> Any:
        seasonal, shifts, medians, starts, slopes, gates, shares, misfit, correction = parts
        horizon = seasonal.shape[1]
        ramp = np.arange(1, horizon + 1, dtype=np.float32)[np.newaxis, :]
        share, gate = rows_of(shares, horizon), rows_of(gates, horizon)
        moved = share[0] * shifts[:, :1] + share[1] * shifts[:, 1:2]
        result = gate[0] * (seasonal + moved + share[2] * shifts[:, 2:3] * (ramp * RAMP))
        for row in range(len(MEDIANS)):
            result += gate[1 + row] * medians[:, row : row + 1]
        for row in range(len(SLOPES)):
            line = starts[:, row : row + 1] + slopes[:, row : row + 1] * (ramp - 1.0)
            result += gate[1 + len(MEDIANS) + row] * line
        return result + misfit * tf.reshape(correction, [-1, horizon])


def rows_of(values: Any, horizon: int) -> list[Any]:
    """The rows of (batch, rows, horizon). XNNPACK has no slice that drops an axis."""
    count = values.shape[1]
    flat = tf.reshape(values, [-1, count * horizon])
    return [flat[:, row * horizon : (row + 1) * horizon] for row in range(count)]
