"""The base network: a GRU over segments of the window weights candidate forecasts and corrects the result.

Candidates for the median are seasonal forecasts of a mix of lags, medians of the last readings, and lines through them.
Each works with missing readings, so an untrained network already forecasts soundly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from model_service.training.backend import keras, tf
from model_service.training.base.layers.lag import Lags, LongSeasons, ShortSeasons
from model_service.training.base.layers.line import SLOPES, Lines
from model_service.training.base.layers.network import BaseView, CandidateSum, Facts, Mix
from model_service.training.base.layers.output import Bands, Knots
from model_service.training.base.layers.scale import (
    DIFFERENCES,
    MEDIANS,
    MIN_SPREAD,
    QUANTILES_OF,
    QUARTILES,
    Decode,
    MaskedScale,
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

SEGMENTS = {64: 2, 512: 8}


class WindowFigures(NamedTuple):
    """What the network computes from a window without learned weights, for a batch.

    scaled, mask: (batch, window). recent, recent_mask: (batch, RECENT), their end. quantiles: (batch, quantiles) in
    scaled units. level, scale: (batch, 1), to return to the unit of the readings. spread: (batch, 1). starts, slopes:
    of the lines. lags: the figures of `Lags` for all lags.
    """

    scaled: Any
    mask: Any
    recent: Any
    recent_mask: Any
    quantiles: Any
    level: Any
    scale: Any
    spread: Any
    starts: Any
    slopes: Any
    lags: Sequence[Any]


def build_base_network(size: Size, units: int = 64, dropout: float = 0.0, cell: str = "gru") -> Any:
    """A Keras model: `windows` (batch, window), missing readings coded → {"forecast": (batch, horizon, quantiles)}.

    units: of the RNN. cell: `gru` or `lstm`.
    """
    windows = keras.Input((size.window,), name="windows", dtype="float32")
    figures = _window_figures(windows, size)
    state = _learned_state(figures, size, units, dropout, cell)
    median, misfit = _median(figures, state, size)
    unit = _band_unit(figures, misfit, state)
    half = (len(QUANTILES) - 1) // 2
    growth = _dense(2 * half * len(size.knots), kernel_initializer="zeros", name="widths")(state)
    bands = Bands(size.knots, size.horizon, len(QUANTILES), name="bands")
    forecast = bands([median, growth, unit, figures.level, figures.scale])
    return keras.Model(windows, {"forecast": forecast}, name=f"base_{size.window}")


def _window_figures(windows: Any, size: Size) -> WindowFigures:
    values, mask = SpikeGuard(name="spike_guard")(Decode(name="decode")(windows))
    scaled, quantiles, level, scale = MaskedScale(name="scale")([values, mask])
    spread = keras.layers.Lambda(
        lambda q: q[:, QUARTILES[1] : QUARTILES[1] + 1] - q[:, QUARTILES[0] : QUARTILES[0] + 1] + MIN_SPREAD,
        name="spread",
    )(quantiles)
    recent, recent_mask = scaled[:, -RECENT:], mask[:, -RECENT:]
    starts, slopes = Lines(name="lines")([recent, recent_mask])
    lags = Lags(SHORT_LAGS, COMPARED, name="short_lags")([recent, recent_mask])
    if longer := long_lags(size.window):
        far = Lags(longer, LONG_COMPARED, name="long_lags")([scaled, mask])
        lags = tuple(keras.layers.Concatenate()([near, other]) for near, other in zip(lags, far, strict=True))
    return WindowFigures(
        scaled, mask, recent, recent_mask, quantiles, level, scale, spread, starts, slopes, lags
    )


def _learned_state(figures: WindowFigures, size: Size, units: int, dropout: float, cell: str) -> Any:
    """The hidden layer on the RNN's output over the segments, and on the facts: (batch, 2 * units)."""
    scaled, mask, spread = figures.scaled, figures.mask, figures.spread
    facts = Facts(name="facts")(
        [mask, figures.quantiles, spread, *figures.lags, figures.slopes, figures.starts]
    )
    step = {"gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell}[cell](units, name="rnn")
    first = _dense(units, activation="tanh", name="first")(facts)
    states = [first] * (2 if cell == "lstm" else 1)
    embed = _dense(units, activation="relu", name="segment")
    output = first
    for segment in BaseView(SEGMENTS[size.window], name="view")([scaled, mask, spread]):
        output, states = step(embed(segment), states)
    state = keras.layers.Concatenate()([output, facts])
    state = _dense(2 * units, activation="relu", name="hidden")(state)
    return keras.layers.Dropout(dropout)(state) if dropout else state


def _median(figures: WindowFigures, state: Any, size: Size) -> tuple[Any, Any]:
    """The median in scaled units, (batch, horizon), and the deviation of the mix of lags, (batch, 1)."""
    longer = long_lags(size.window)
    lags = (*SHORT_LAGS, *longer)
    logits = _dense(len(lags), kernel_initializer="zeros", name="wished_lags")(state)
    weights, misfit, shifts = Mix(lags, name="mix")([logits, *figures.lags])
    seasonal = ShortSeasons(SHORT_LAGS, size.horizon, name="short_seasons")(
        [figures.recent, figures.recent_mask, weights[:, : len(SHORT_LAGS)]]
    )
    if longer:
        far = LongSeasons(longer, size.horizon, name="long_seasons")(
            [figures.scaled, figures.mask, weights[:, len(SHORT_LAGS) :]]
        )
        seasonal += far
    gates = _head(state, size, "gates", 1 + len(MEDIANS) + len(SLOPES), "softmax")
    shares = _head(state, size, "shares", 3, "sigmoid")
    pick = np.eye(len(QUANTILES_OF), dtype=np.float32)[:, list(MEDIANS)]
    medians = keras.layers.Lambda(lambda q: tf.matmul(q, pick), name="medians")(figures.quantiles)
    correction = _head(state, size, "correction", 1)
    median = CandidateSum(name="candidates")(
        [seasonal, shifts, medians, figures.starts, figures.slopes, gates, shares, misfit, correction]
    )
    return median, misfit


def _band_unit(figures: WindowFigures, misfit: Any, state: Any) -> Any:
    """The unit of the band's width, (batch, 1): a learned mean of sizes of the window, widened for few readings."""
    differences = np.zeros((len(QUANTILES_OF), len(DIFFERENCES)), dtype=np.float32)
    for column, (upper, lower) in enumerate(DIFFERENCES):
        differences[upper, column], differences[lower, column] = 1, -1
    sizes = keras.layers.Lambda(lambda q: tf.nn.relu(tf.matmul(q, differences)), name="sizes")(
        figures.quantiles
    )
    sizes = keras.layers.Concatenate()([sizes, misfit, misfit * 0.0 + 1.0])
    shares_of_size = _dense(
        sizes.shape[1], activation="softmax", kernel_initializer="zeros", name="wished_sizes"
    )(state)
    unit = keras.layers.Lambda(lambda p: tf.reduce_sum(p[0] * p[1], axis=1, keepdims=True), name="unit")(
        [sizes, shares_of_size]
    )
    return unit * Widening(name="widening")(figures.mask)


def _head(state: Any, size: Size, name: str, rows: int, activation: str = "") -> Any:
    """(batch, rows, horizon), interpolated between knots; activation(0) before training."""
    points = _dense(rows * len(size.knots), kernel_initializer="zeros", name=name)(state)
    return Knots(size.knots, size.horizon, rows, activation, name=f"{name}_steps")(points)


def _dense(units: int, **options: Any) -> Any:
    return keras.layers.Dense(units, **options)
