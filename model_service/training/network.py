"""The network: scaling by the window itself, a base out of past seasons, an RNN over segments, quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from model_service.training.backend import keras, tf
from model_service.training.settings import QUANTILES, Cell, TrainingSettings

# Unrolled steps of the RNN: up to about 14 the unrolled graph is the faster one, and only it converts to LiteRT.
MAX_SEGMENTS = 14
SEGMENT_STEPS = 12
# Every season up to this is looked for in each window; longer ones have to be named.
MAX_SHORT_LAG = 24
# How many of the last readings are compared with those a season before.
COMPARED_STEPS = 96
MIN_COMPARED_STEPS = 8
# A linear path from the window to the median beyond this would be most of the weights.
MAX_SKIP_WEIGHTS = 40_000
# Below it a window is constant; far from the smallest float32, so that its inverse is finite.
MIN_SCALE = 1e-30

_CELLS: dict[Cell, Any] = {
    "gru": keras.layers.GRU,
    "lstm": keras.layers.LSTM,
    "rnn": keras.layers.SimpleRNN,
}


def lags(window: int, seasons: Sequence[int]) -> tuple[int, ...]:
    """Distances in steps at which the past may repeat: 1 (the last reading), the short ones, the named seasons."""
    short = range(1, min(window // 2, MAX_SHORT_LAG) + 1)
    return tuple(sorted({*short, *(season for season in seasons if season <= window)}))


def segment_steps(window: int, seasons: Sequence[int]) -> int:
    """Readings per step of the RNN: whole seasons where one fits, and never more than MAX_SEGMENTS segments."""
    least = -(-window // MAX_SEGMENTS)
    whole = [season for season in seasons if least <= season <= window // 2]
    if whole:
        return min(whole)
    return max(least, min(SEGMENT_STEPS, -(-window // 4)))


@keras.saving.register_keras_serializable("fncast")
class Scale(keras.layers.Layer):  # type: ignore[misc]
    """(batch, window) raw readings → the readings about their mean in mean absolute deviations, that mean, and that
    deviation; (batch, window), (batch, 1), (batch, 1). Shifting a window shifts its mean, and nothing else."""

    def call(self, windows: Any) -> tuple[Any, Any, Any]:
        last = windows[:, -1:]
        centred = windows - last  # first of all: what follows never sees the level, so float32 does
        middle = tf.reduce_mean(centred, axis=1, keepdims=True)
        centred = centred - middle
        scale = tf.reduce_mean(tf.abs(centred), axis=1, keepdims=True) + MIN_SCALE
        return centred / scale, last + middle, scale


@keras.saving.register_keras_serializable("fncast")
class SeasonalBase(keras.layers.Layer):  # type: ignore[misc]
    """Seasonal naive forecasts at several lags, mixed by how well each lag repeated within the window.

    (batch, window) scaled → base (batch, horizon), and the fit of each lag (batch, lags): the log of the mean
    absolute difference between readings one lag apart, about 0 for a lag that means nothing."""

    def __init__(self, lags: Sequence[int], window: int, horizon: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags, self.window, self.horizon = tuple(lags), window, horizon
        self._ahead = np.array([[window - lag + h % lag for h in range(horizon)] for lag in self.lags])
        self._short = np.array([lag for lag in self.lags if lag <= MAX_SHORT_LAG])
        self._long = [lag for lag in self.lags if lag > MAX_SHORT_LAG]
        compared = min(window - int(self._short.max()), COMPARED_STEPS)
        self._now = np.arange(window - compared, window)
        self._before = self._now[np.newaxis, :] - self._short[:, np.newaxis]

    def build(self, shape: Any) -> None:
        count = len(self.lags)
        self.sharpness = self.add_weight(name="sharpness", shape=(count,), initializer="ones")
        self.preference = self.add_weight(name="preference", shape=(count,), initializer="zeros")

    def call(self, scaled: Any) -> tuple[Any, Any]:
        now = tf.gather(scaled, self._now, axis=1)[:, tf.newaxis, :]
        differences = now - tf.gather(scaled, self._before, axis=1)
        fits = [tf.reduce_mean(tf.abs(differences), axis=2)]
        for lag in self._long:
            compared = min(self.window - lag, max(COMPARED_STEPS, 2 * lag))
            if compared < MIN_COMPARED_STEPS:  # a season as long as the window: its preference alone decides
                fits.append(tf.ones_like(scaled[:, :1]))
                continue
            differences = scaled[:, -compared:] - scaled[:, -compared - lag : -lag]
            fits.append(tf.reduce_mean(tf.abs(differences), axis=1, keepdims=True))
        fit = tf.math.log(tf.concat(fits, axis=1) + 0.01)
        weights = tf.nn.softmax(-4.0 * self.sharpness * fit + self.preference, axis=1)
        candidates = tf.gather(scaled, self._ahead, axis=1)
        return tf.reduce_sum(candidates * weights[:, :, tf.newaxis], axis=1), fit

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "lags": self.lags, "window": self.window, "horizon": self.horizon}


@keras.saving.register_keras_serializable("fncast")
class Quantiles(keras.layers.Layer):  # type: ignore[misc]
    """Median and the widths of the band below and above → (batch, horizon, 3) that never cross, in raw units.

    The widths are multiplied by `below` and `above`, one factor for each step, which calibration sets."""

    def build(self, shape: Any) -> None:
        horizon = shape[0][1]
        self.below = self.add_weight(name="below", shape=(horizon,), initializer="ones", trainable=False)
        self.above = self.add_weight(name="above", shape=(horizon,), initializer="ones", trainable=False)

    def call(self, parts: tuple[Any, Any, Any, Any, Any, Any]) -> Any:
        base, median, below, above, level, scale = parts
        middle = base + median
        low = middle - tf.nn.softplus(below) * self.below
        high = middle + tf.nn.softplus(above) * self.above
        return tf.stack([low, middle, high], axis=2) * scale[:, :, tf.newaxis] + level[:, :, tf.newaxis]


@keras.saving.register_keras_serializable("fncast")
class Segments(keras.layers.Layer):  # type: ignore[misc]
    """(batch, window) → (batch, segments, steps), large values squashed to their logarithm; a window that is no
    whole number of segments is padded in front."""

    def __init__(self, window: int, steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.window, self.steps = window, steps

    def call(self, scaled: Any) -> Any:
        scaled = tf.sign(scaled) * tf.math.log(1.0 + tf.abs(scaled))
        count = -(-self.window // self.steps)
        padding = count * self.steps - self.window
        if padding:
            scaled = tf.concat([tf.repeat(scaled[:, :1], padding, axis=1), scaled], axis=1)
        return tf.reshape(scaled, [-1, count, self.steps])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "window": self.window, "steps": self.steps}


def build_network(settings: TrainingSettings) -> Any:
    """A Keras model: `windows` (batch, window) raw → {"forecast": (batch, horizon, 3)} in the same unit."""
    assert len(QUANTILES) == 3
    window, horizon, units = settings.window, settings.horizon, settings.units
    windows = keras.Input((window,), name="windows", dtype="float32")
    scaled, level, scale = Scale(name="scale")(windows)
    base, fit = SeasonalBase(lags(window, settings.seasons), window, horizon, name="base")(scaled)
    segments = Segments(window, segment_steps(window, settings.seasons), name="segments")(scaled)
    seen = keras.layers.Dense(units, activation="relu", name="segment")(segments)
    state = _CELLS[settings.cell](units, unroll=True, name="rnn")(seen)
    state = keras.layers.Dropout(settings.dropout)(state)
    known = keras.layers.Concatenate()([state, fit, base - scaled[:, -1:]])
    known = keras.layers.Dense(units, activation="relu", name="hidden")(known)
    median = keras.layers.Dense(horizon, kernel_initializer="zeros", name="median")(known)
    if settings.seasons and window * horizon <= MAX_SKIP_WEIGHTS:
        median = median + keras.layers.Dense(
            horizon, kernel_initializer="zeros", use_bias=False, name="skip"
        )(scaled)
    below = keras.layers.Dense(horizon, name="below")(known)
    above = keras.layers.Dense(horizon, name="above")(known)
    forecast = Quantiles(name="quantiles")([base, median, below, above, level, scale])
    return keras.Model(windows, {"forecast": forecast}, name="forecast")
