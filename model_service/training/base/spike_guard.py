"""The layer that treats a spike in the last reading as a missing one, because most spikes do not last."""

from __future__ import annotations

from typing import Any

from model_service.training.backend import keras, tf

# A spike is this many half ranges of the other readings away from their middle, and at most this many: beyond, or after
# a constant, it is the start of something new.
NEAREST_SPIKE, FARTHEST_SPIKE = 2.0, 100.0
MIN_READINGS = 24  # fewer show no range
SHARPNESS = 0.01  # width of the transition, as a share of the distance
OUT_OF_RANGE, TINY = 1e30, 1e-30


class SpikeGuard(keras.layers.Layer):  # type: ignore[misc]
    """Inputs: (batch, window) values, 0 where missing, and the mask.

    Outputs: both, without a spike in the last reading.
    """

    def call(self, parts: tuple[Any, Any]) -> tuple[Any, Any]:
        values, present = parts
        others, known = values[:, :-1], present[:, :-1]
        last = values[:, -1:]
        beyond = (1.0 - known) * OUT_OF_RANGE
        highest = tf.reduce_max(others - beyond, axis=1, keepdims=True)
        lowest = tf.reduce_min(others + beyond, axis=1, keepdims=True)
        half = tf.nn.relu(highest - lowest) * 0.5
        apart = tf.abs(last - (highest + lowest) * 0.5)
        is_far = unit((apart - NEAREST_SPIKE * half) / (SHARPNESS * half + TINY))
        is_near = unit((FARTHEST_SPIKE * half - apart) / (SHARPNESS * apart + TINY))
        is_known = unit(tf.reduce_sum(known, axis=1, keepdims=True) - (MIN_READINGS - 1.0))
        kept = present[:, -1:] * (1.0 - is_far * is_near * is_known)
        return tf.concat([others, last * kept], axis=1), tf.concat([known, kept], axis=1)


def unit(values: Any) -> Any:
    """Values within 0 and 1."""
    return tf.minimum(tf.nn.relu(values), 1.0)
