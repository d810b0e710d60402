"""The layer that widens the band for short histories and for missing readings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_service.training.backend import keras, tf
from model_service.training.base.shape import MISSING_KNOTS, history_knots

# Readings of a window are grouped, so that finding its first one stays cheap in a long window.
GROUPS = 64


class Widening(keras.layers.Layer):  # type: ignore[misc]
    """How much wider the band is for a short history, and for one with gaps: (batch, 1).

    Input: the mask (batch, window). The factor is interpolated in a table over the number of known readings, and in one
    over the share of missing readings after the first known one. Calibration sets both.
    """

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
        # Sums the readings of a group and of those before it.
        until = np.repeat(np.triu(np.ones((groups, groups), np.float32)), steps, axis=0)
        known = tf.reduce_sum(present, axis=1, keepdims=True)
        begun = tf.minimum(tf.matmul(present, until), 1.0)
        length = steps * tf.reduce_sum(begun, axis=1, keepdims=True)
        missing = tf.nn.relu(1.0 - known / (length + 1e-6))
        history = hats(tf.math.log(known + 1e-6), np.log(self.knots).tolist())
        return tf.matmul(history, self.by_history) * tf.matmul(hats(missing, MISSING_KNOTS), self.by_missing)


def hats(values: Any, knots: Sequence[float] | NDArray[Any]) -> Any:
    """The weights (batch, knots) that interpolate at values (batch, 1); beyond the knots the nearest one counts."""
    at = np.array(knots, dtype=np.float32)
    gaps = np.diff(at)
    inside = tf.minimum(tf.maximum(values, at[0]), at[-1])
    above = np.concatenate([gaps[:1], gaps]).astype(np.float32)
    below = np.concatenate([gaps, gaps[-1:]]).astype(np.float32)
    apart = inside - at
    return tf.nn.relu(1.0 - tf.nn.relu(apart) / below - tf.nn.relu(-apart) / above)
