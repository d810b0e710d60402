"""The layer that draws straight lines through the last readings."""

from __future__ import annotations

from typing import Any

import numpy as np

from model_service.training.backend import keras, tf
from model_service.training.base.layers.scale import TINY, decaying

SLOPES = (6.0, 20.0)  # time constants of the lines through the last readings


class Lines(keras.layers.Layer):  # type: ignore[misc]
    """Straight lines through the last readings, one for each of SLOPES.

    Inputs: (batch, readings) scaled and mask. Outputs: (batch, lines) values at the first step, and slopes a step.
    """

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
