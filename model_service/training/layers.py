"""The layers that know what a window is: scaling, its quantiles, its seasons, the mixing of candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from model_service.training.backend import keras, tf

# Below it a window is constant; far from the smallest float32, so that its inverse is finite.
MIN_SCALE = 1e-30
# Readings whose quantiles are candidates: an hour of 5 minutes, and up to two seasons of days of half hours.
SHORT_READINGS = 12
LONG_READINGS = 96
# Every season up to this is looked for in each window; longer ones have to be named.
MAX_SHORT_LAG = 24
# How many of the last readings are compared with those a season before; fewer than the least tell nothing.
COMPARED_STEPS = 96
MIN_COMPARED_STEPS = 8
# How fast the weight of older differences falls where the latest shift against the season is asked for.
RECENT_DECAY = 0.6

_WINDOW_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def window_quantiles(windows: Any, count: int) -> Any:
    """The quantiles 0.1, 0.25, 0.5, 0.75, 0.9 of the last `count` readings: (batch, 5).

    By sorting, as numpy's default (linear) method has it; only operations that LiteRT has built in."""
    ascending = -tf.math.top_k(-windows[:, -count:], k=count).values
    positions = np.array(_WINDOW_QUANTILES) * (count - 1)
    lower = np.floor(positions).astype(np.int32)
    upper = np.minimum(lower + 1, count - 1)
    part = (positions - lower).astype(np.float32)
    return tf.gather(ascending, lower, axis=1) * (1 - part) + tf.gather(ascending, upper, axis=1) * part


@keras.saving.register_keras_serializable("fncast")
class Scale(keras.layers.Layer):  # type: ignore[misc]
    """(batch, window) raw readings → scaled (batch, window), their level (batch, 1) and scale (batch, 1).

    The level is the median of the last readings, the scale the mean absolute distance from it: scaled readings
    times scale plus level are the raw ones. Shifting a window shifts its level, and nothing else."""

    def call(self, windows: Any) -> tuple[Any, Any, Any]:
        last = windows[:, -1:]
        centred = windows - last  # first of all: what follows never sees the level, so float32 does
        middle = window_quantiles(centred, min(LONG_READINGS, windows.shape[1]))[:, 2:3]
        centred = centred - middle
        scale = tf.reduce_mean(tf.abs(centred), axis=1, keepdims=True) + MIN_SCALE
        return centred / scale, last + middle, scale


@keras.saving.register_keras_serializable("fncast")
class SeasonalBase(keras.layers.Layer):  # type: ignore[misc]
    """Seasonal naive forecasts at several lags, mixed by how well each lag repeated within the window.

    (batch, window) scaled, the four figures of each lag, (batch, lags) preferences → base (batch, horizon), the drift
    and the shift that may be added to it (batch, horizon and 1), the misfit that the mixed lags had in the window
    (batch, 1), and the figures of the mixed lags in units of that misfit (batch, 4)."""

    def __init__(self, lags: Sequence[int], horizon: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags, self.horizon = tuple(lags), horizon

    def build(self, shape: Any) -> None:
        count = len(self.lags)
        self.sharpness = self.add_weight(name="sharpness", shape=(count,), initializer="ones")
        self.preference = self.add_weight(name="preference", shape=(count,), initializer="zeros")

    def call(self, parts: tuple[Any, Any, Any, Any, Any, Any]) -> tuple[Any, Any, Any, Any, Any]:
        scaled, fit, drift, shift, roughness, wished = parts
        window = scaled.shape[1]
        ahead = np.array([[window - lag + h % lag for h in range(self.horizon)] for lag in self.lags])
        weights = tf.nn.softmax(-4.0 * self.sharpness * fit + self.preference + wished, axis=1)
        base = tf.reduce_sum(tf.gather(scaled, ahead, axis=1) * weights[:, :, tf.newaxis], axis=1)
        seasons_ahead = np.array([[1.0 + h // lag for h in range(self.horizon)] for lag in self.lags])
        drifted = tf.linalg.matmul(drift * weights, seasons_ahead.astype(np.float32))
        shifted = tf.reduce_sum(shift * weights, axis=1, keepdims=True)
        misfit = tf.reduce_sum(tf.exp(fit) * weights, axis=1, keepdims=True)
        steady = tf.reduce_sum((roughness - fit) * weights, axis=1, keepdims=True)
        mixed_drift = tf.reduce_sum(drift * weights, axis=1, keepdims=True)
        told = [tf.math.log(misfit), steady, squash(mixed_drift / misfit), squash(shifted / misfit)]
        return base, drifted, shifted, misfit, tf.concat(told, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "lags": self.lags, "horizon": self.horizon}


@keras.saving.register_keras_serializable("fncast")
class Fit(keras.layers.Layer):  # type: ignore[misc]
    """(batch, window) scaled → for each lag four figures of the differences of readings one lag apart: the log of
    their mean absolute deviation, which is the fit; their mean, the drift; the mean of the latest, the shift; the log
    of their mean absolute change, the roughness: small where a shift lasts. Four times (batch, lags)."""

    def __init__(self, lags: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags = tuple(lags)

    def call(self, scaled: Any) -> tuple[Any, Any, Any, Any]:
        window = scaled.shape[1]
        short = np.array([lag for lag in self.lags if lag <= MAX_SHORT_LAG])
        compared = min(window - int(short.max()), COMPARED_STEPS)
        now = np.arange(window - compared, window)
        before = tf.gather(scaled, now[np.newaxis, :] - short[:, np.newaxis], axis=1)
        fits, drifts, shifts, roughnesses = [], [], [], []

        def compare(differences: Any) -> None:
            """differences: (batch, lags, compared)."""
            drift = tf.reduce_mean(differences, axis=2, keepdims=True)
            drifts.append(drift[:, :, 0])
            latest = RECENT_DECAY ** np.arange(differences.shape[2])[::-1]
            weights = (latest / latest.sum()).astype(np.float32)
            shifts.append(tf.reduce_sum(differences * weights, axis=2))
            changes = differences[:, :, 1:] - differences[:, :, :-1]
            roughnesses.append(tf.reduce_mean(tf.abs(changes), axis=2))
            fits.append(tf.reduce_mean(tf.abs(differences - drift), axis=2))

        compare(scaled[:, tf.newaxis, -compared:] - before)
        for lag in (lag for lag in self.lags if lag > MAX_SHORT_LAG):
            compared = min(window - lag, max(COMPARED_STEPS, 2 * lag))
            if compared < MIN_COMPARED_STEPS:  # a season as long as the window: its preference alone decides
                fits.append(tf.ones_like(scaled[:, :1]))
                roughnesses.append(tf.ones_like(scaled[:, :1]))
                drifts.append(tf.zeros_like(scaled[:, :1]))
                shifts.append(tf.zeros_like(scaled[:, :1]))
                continue
            compare((scaled[:, -compared:] - scaled[:, -compared - lag : -lag])[:, tf.newaxis, :])
        fit = tf.math.log(tf.concat(fits, axis=1) + 0.01)
        roughness = tf.math.log(tf.concat(roughnesses, axis=1) + 0.01)
        return fit, tf.concat(drifts, axis=1), tf.concat(shifts, axis=1), roughness

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "lags": self.lags}


@keras.saving.register_keras_serializable("fncast")
class Segments(keras.layers.Layer):  # type: ignore[misc]
    """(batch, window) scaled, (batch, 1) spread → (batch, segments, 2 × steps): the readings in units of the scale
    and of the spread, large ones squashed to their logarithm. A window that is no whole number of segments is
    padded in front."""

    def __init__(self, steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.steps = steps

    def call(self, parts: tuple[Any, Any]) -> Any:
        scaled, spread = parts
        window = scaled.shape[1]
        count = -(-window // self.steps)
        padding = count * self.steps - window
        if padding:
            scaled = tf.concat([tf.repeat(scaled[:, :1], padding, axis=1), scaled], axis=1)
        rows = tf.reshape(scaled, [-1, count, self.steps])
        fine = rows / (spread[:, :, tf.newaxis] + 0.02)
        return tf.concat([squash(rows), squash(fine)], axis=2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "steps": self.steps}


def squash(values: Any) -> Any:
    """Linear about 0, logarithmic far from it."""
    return tf.sign(values) * tf.math.log(1.0 + tf.abs(values))


@keras.saving.register_keras_serializable("fncast")
class Mix(keras.layers.Layer):  # type: ignore[misc]
    """Candidates (batch, steps, candidates) weighted by the softmax of their logits: (batch, steps).

    Where there are fewer logits than steps, neighbouring steps share them."""

    def call(self, parts: tuple[Any, Any]) -> Any:
        candidates, logits = parts
        steps, given = candidates.shape[1], logits.shape[1]
        if given < steps:
            logits = tf.gather(logits, np.arange(steps) * given // steps, axis=1)
        return tf.reduce_sum(candidates * tf.nn.softmax(logits, axis=2), axis=2)


@keras.saving.register_keras_serializable("fncast")
class Quantiles(keras.layers.Layer):  # type: ignore[misc]
    """Median and the widths of the band below and above, none negative → (batch, horizon, 3) in raw units.

    The quantiles never cross. The widths are multiplied by `below` and `above`, one factor for each step, which
    calibration sets."""

    def build(self, shape: Any) -> None:
        horizon = shape[0][1]
        self.below = self.add_weight(name="below", shape=(horizon,), initializer="ones", trainable=False)
        self.above = self.add_weight(name="above", shape=(horizon,), initializer="ones", trainable=False)

    def call(self, parts: tuple[Any, Any, Any, Any, Any]) -> Any:
        middle, below, above, level, scale = parts
        forecast = tf.stack([middle - below * self.below, middle, middle + above * self.above], axis=2)
        return forecast * scale[:, :, tf.newaxis] + level[:, :, tf.newaxis]
