"""The base network: a GRU over segments of the window weights candidate forecasts and corrects the result.

Candidates for the median are seasonal forecasts of a mix of lags, medians of the last readings, and lines through them.
Each works with missing readings, so an untrained network already forecasts soundly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from model_service.training.backend import keras, tf
from model_service.training.base.lag_layers import Lags, LongSeasons, ShortSeasons
from model_service.training.base.line_layers import SLOPES, Lines
from model_service.training.base.output_layers import Bands, Knots
from model_service.training.base.scale_layers import (
    DIFFERENCES,
    MEDIANS,
    MIN_SPREAD,
    QUANTILES_OF,
    QUARTILES,
    Decode,
    MaskedScale,
    squash,
)
from model_service.training.base.shape import (
    COMPARED,
    LONG_COMPARED,
    QUANTILES,
    RECENT,
    SHORT_LAGS,
    Size,
    long_lags,
)
from model_service.training.base.spike_guard import SpikeGuard
from model_service.training.base.widening import Widening

SEGMENTS = {64: 4, 512: 8}
RAMP = 1.0 / 8.0  # slopes are in units of eight steps


class Mix(keras.layers.Layer):  # type: ignore[misc]
    """The weights of the lags, the deviation of the mix, and its shifts and drift.

    Inputs: (batch, lags) logits and the five figures of Lags.
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
        seen, fine = squash(scaled), squash(scaled / spread)
        cuts = [slice(at, at + steps) for at in range(0, scaled.shape[1], steps)]
        return [tf.concat([seen[:, cut], fine[:, cut], mask[:, cut]], axis=1) for cut in cuts]


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

    Inputs: two seasonal forecasts (batch, horizon); (batch, 3) shifts of the mix; medians; starts and slopes of the
    lines; (batch, candidates, horizon) gates that sum to 1; (batch, 4, horizon) shares of the shifts; (batch, 1) the
    deviation of the mix, and (batch, 1, horizon) a correction in units of it.
    """

    def call(self, parts: tuple[Any, ...]) -> Any:
        last, mean, shifts, medians, starts, slopes, gates, shares, misfit, correction = parts
        horizon = last.shape[1]
        ramp = np.arange(1, horizon + 1, dtype=np.float32)[np.newaxis, :]
        share, gate = rows_of(shares, horizon), rows_of(gates, horizon)
        moved = share[0] * shifts[:, :1] + share[1] * shifts[:, 1:2]
        drift = share[2] * shifts[:, 2:3] * (ramp * RAMP)
        result = gate[0] * (last + moved + drift)
        result += gate[1] * (mean + share[3] * shifts[:, 1:2] + drift)
        for row in range(len(MEDIANS)):
            result += gate[2 + row] * medians[:, row : row + 1]
        for row in range(len(SLOPES)):
            line = starts[:, row : row + 1] + slopes[:, row : row + 1] * (ramp - 1.0)
            result += gate[2 + len(MEDIANS) + row] * line
        return result + misfit * tf.reshape(correction, [-1, horizon])


def rows_of(values: Any, horizon: int) -> list[Any]:
    """The rows of (batch, rows, horizon). XNNPACK has no slice that drops an axis."""
    count = values.shape[1]
    flat = tf.reshape(values, [-1, count * horizon])
    return [flat[:, row * horizon : (row + 1) * horizon] for row in range(count)]


def build_base_network(size: Size, units: int = 64, dropout: float = 0.0, cell: str = "gru") -> Any:
    """A Keras model: `windows` (batch, window), missing readings coded → {"forecast": (batch, horizon, quantiles)}."""
    window, horizon, knots = size.window, size.horizon, size.knots
    windows = keras.Input((window,), name="windows", dtype="float32")
    values, mask = SpikeGuard(name="spike_guard")(Decode(name="decode")(windows))
    scaled, quantiles, level, scale = MaskedScale(name="scale")([values, mask])
    spread = keras.layers.Lambda(
        lambda q: q[:, QUARTILES[1] : QUARTILES[1] + 1] - q[:, QUARTILES[0] : QUARTILES[0] + 1] + MIN_SPREAD,
        name="spread",
    )(quantiles)
    recent, recent_mask = scaled[:, -RECENT:], mask[:, -RECENT:]
    starts, slopes = Lines(name="lines")([recent, recent_mask])
    figures = Lags(SHORT_LAGS, COMPARED, name="short_lags")([recent, recent_mask])
    longer = long_lags(window)
    lags = (*SHORT_LAGS, *longer)
    if longer:
        far = Lags(longer, LONG_COMPARED, name="long_lags")([scaled, mask])
        figures = tuple(
            keras.layers.Concatenate()([near, other]) for near, other in zip(figures, far, strict=True)
        )
    facts = Facts(name="facts")([mask, quantiles, spread, *figures, slopes, starts])

    dense = keras.layers.Dense
    step = {"gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell}[cell](units, name="rnn")
    first = dense(units, activation="tanh", name="first")(facts)
    states = [first] * (2 if cell == "lstm" else 1)
    embed = dense(units, activation="relu", name="segment")
    output = first
    for segment in BaseView(SEGMENTS[window], name="view")([scaled, mask, spread]):
        output, states = step(embed(segment), states)
    state = keras.layers.Concatenate()([output, facts])
    state = dense(2 * units, activation="relu", name="hidden")(state)
    if dropout:
        state = keras.layers.Dropout(dropout)(state)

    def head(name: str, rows: int, activation: str = "") -> Any:
        """(batch, rows, horizon), interpolated between knots; activation(0) before training."""
        points = dense(rows * len(knots), kernel_initializer="zeros", name=name)(state)
        return Knots(knots, horizon, rows, activation, name=f"{name}_steps")(points)

    logits = dense(len(lags), kernel_initializer="zeros", name="wished_lags")(state)
    weights, misfit, shifts = Mix(lags, name="mix")([logits, *figures])
    near = ShortSeasons(SHORT_LAGS, horizon, name="short_seasons")(
        [recent, recent_mask, weights[:, : len(SHORT_LAGS)]]
    )
    if longer:
        far = LongSeasons(longer, horizon, name="long_seasons")([scaled, mask, weights[:, len(SHORT_LAGS) :]])
        near = [short + long for short, long in zip(near, far, strict=True)]
    count = 2 + len(MEDIANS) + len(SLOPES)
    gates = head("gates", count, "softmax")
    shares = head("shares", 4, "sigmoid")
    pick = np.eye(len(QUANTILES_OF), dtype=np.float32)[:, list(MEDIANS)]
    medians = keras.layers.Lambda(lambda q: tf.matmul(q, pick), name="medians")(quantiles)
    correction = head("correction", 1)
    median = CandidateSum(name="candidates")(
        [*near, shifts, medians, starts, slopes, gates, shares, misfit, correction]
    )

    differences = np.zeros((len(QUANTILES_OF), len(DIFFERENCES)), dtype=np.float32)
    for column, (upper, lower) in enumerate(DIFFERENCES):
        differences[upper, column], differences[lower, column] = 1, -1
    sizes = keras.layers.Lambda(lambda q: tf.nn.relu(tf.matmul(q, differences)), name="sizes")(quantiles)
    sizes = keras.layers.Concatenate()([sizes, misfit, misfit * 0.0 + 1.0])
    shares_of_size = dense(
        sizes.shape[1], activation="softmax", kernel_initializer="zeros", name="wished_sizes"
    )(state)
    unit = keras.layers.Lambda(lambda p: tf.reduce_sum(p[0] * p[1], axis=1, keepdims=True), name="unit")(
        [sizes, shares_of_size]
    )
    unit = unit * Widening(name="widening")(mask)
    half = (len(QUANTILES) - 1) // 2
    growth = dense(2 * half * len(knots), kernel_initializer="zeros", name="widths")(state)
    forecast = Bands(knots, horizon, len(QUANTILES), name="bands")([median, growth, unit, level, scale])
    return keras.Model(windows, {"forecast": forecast}, name=f"base_{window}")
