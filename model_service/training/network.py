"""The network: an RNN over segments of the scaled window chooses among candidates and corrects them.

Candidates for the median are the last reading, the medians of the last readings, and a seasonal naive forecast;
for the widths of the band, the spread that the window itself shows. So an untrained network forecasts soundly, and
a trained one need not learn to copy a reading through its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model_service.training.backend import keras, tf
from model_service.training.layers import (
    LONG_READINGS,
    MAX_SHORT_LAG,
    SHORT_READINGS,
    Fit,
    Mix,
    Quantiles,
    Scale,
    SeasonalBase,
    Segments,
    squash,
    window_quantiles,
)
from model_service.training.settings import QUANTILES, Cell, TrainingSettings

# Unrolled steps of the RNN: up to about 14 the unrolled graph is the faster one, and only it converts to LiteRT.
MAX_SEGMENTS = 14
SEGMENT_STEPS = 12
# Steps of the horizon that mix the candidates in their own way; of a longer one neighbours share.
MAX_MIXES = 12
# A linear path from the window to the median beyond this would be most of the weights.
MAX_SKIP_WEIGHTS = 40_000

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


def build_network(settings: TrainingSettings) -> Any:
    """A Keras model: `windows` (batch, window) raw → {"forecast": (batch, horizon, 3)} in the same unit."""
    assert len(QUANTILES) == 3
    horizon, units = settings.horizon, settings.units
    windows = keras.Input((settings.window,), name="windows", dtype="float32")
    scaled, level, scale = Scale(name="scale")(windows)
    short = _Quantiles(min(SHORT_READINGS, settings.window), name="short")(scaled)
    long = _Quantiles(min(LONG_READINGS, settings.window), name="long")(scaled)
    spread = long[:, 3:4] - long[:, 1:2]
    known_lags = lags(settings.window, settings.seasons)
    figures = Fit(known_lags, name="fit")(scaled)

    segments = Segments(segment_steps(settings.window, settings.seasons), name="segments")([scaled, spread])
    seen = keras.layers.Dense(units, activation="relu", name="segment")(segments)
    state = _CELLS[settings.cell](units, unroll=True, name="rnn")(seen)
    shown = keras.layers.Concatenate()([*figures[:3], _Squash()(short), _Squash()(long)])
    state = keras.layers.Concatenate()([keras.layers.Dropout(settings.dropout)(state), shown])
    state = keras.layers.Dense(units, activation="relu", name="hidden")(state)
    wished = keras.layers.Dense(len(known_lags), kernel_initializer="zeros", name="wished_lags")(state)
    base = SeasonalBase(known_lags, horizon, name="base")
    seasonal, drifted, shifted, misfit, told = base([scaled, *figures, wished])
    state = keras.layers.Dense(units, activation="relu", name="choice")(
        keras.layers.Concatenate()([state, told])
    )

    def ask(name: str, *shape: int) -> Any:
        """A linear answer of the hidden layer, 0 before training."""
        size = shape[0] * (shape[1] if len(shape) > 1 else 1)
        answer = keras.layers.Dense(size, kernel_initializer="zeros", name=name)(state)
        return keras.layers.Reshape(shape)(answer) if len(shape) > 1 else answer

    candidates = _Stack(horizon)(
        [seasonal, seasonal + drifted, seasonal + shifted, scaled[:, -1:], short[:, 2:3], long[:, 2:3]]
    )
    middle = Mix(name="middle")([candidates, ask("wished_candidates", min(horizon, MAX_MIXES), 6)])
    middle = middle + misfit * ask("correction", horizon)
    if settings.seasons and settings.window * horizon <= MAX_SKIP_WEIGHTS:
        skip = keras.layers.Dense(horizon, kernel_initializer="zeros", use_bias=False, name="skip")
        middle = middle + skip(scaled)

    def width(name: str, side: slice) -> Any:
        """Non-negative: a mix of the spreads seen on this side of the median, times a positive factor."""
        own = [abs(short[:, 2:3] - short[:, side]), abs(long[:, 2:3] - long[:, side])]
        seen_widths = _Stack(1)([*own, spread, misfit, keras.ops.ones_like(spread)])
        mixed = Mix(name=f"{name}_mix")([seen_widths, ask(f"wished_{name}", 1, 5)])
        return mixed * keras.ops.softplus(ask(name, horizon) + 1.0)

    below, above = width("below", slice(0, 1)), width("above", slice(4, 5))
    forecast = Quantiles(name="quantiles")([middle, below, above, level, scale])
    return keras.Model(windows, {"forecast": forecast}, name="forecast")


class _Quantiles(keras.layers.Layer):  # type: ignore[misc]
    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count

    def call(self, scaled: Any) -> Any:
        return window_quantiles(scaled, self.count)


class _Squash(keras.layers.Layer):  # type: ignore[misc]
    def call(self, values: Any) -> Any:
        return squash(values)


class _Stack(keras.layers.Layer):  # type: ignore[misc]
    """Tensors (batch, steps) or (batch, 1), side by side: (batch, steps, tensors)."""

    def __init__(self, steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.steps = steps

    def call(self, parts: Any) -> Any:
        wide = [tf.repeat(part, self.steps // part.shape[1], axis=1) for part in parts]
        return tf.stack(wide, axis=2)
