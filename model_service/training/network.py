"""The network: an RNN over segments of the scaled window weights candidate forecasts and corrects the result.

Candidates for the median are the last reading, medians of the last readings, seasonal naive forecasts at short lags,
and the same phase of earlier seasons. Candidates for the widths of the band are spreads of the window. So even an
untrained network gives sound forecasts, and training need not learn to copy readings through weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model_service.training.backend import keras
from model_service.training.layers.lags import LagFigures, LagMix
from model_service.training.layers.output import (
    CandidateMix,
    Quantiles,
    SeasonMix,
    SharedPoints,
    Swell,
    Widths,
)
from model_service.training.layers.window import MEDIANS, Scale, SegmentView
from model_service.training.settings import QUANTILES, Cell, TrainingSettings

# Every lag up to this is examined in each window. Longer seasons must be in the settings.
MAX_LAG = 24
# Steps of the RNN. It is unrolled, because only an unrolled graph converts to LiteRT.
MAX_SEGMENTS = 14
SEGMENT_STEPS = 16
# The most steps of a segment. For longer windows, neighbouring readings are averaged.
MAX_SEGMENT_STEPS = 96
# The most mixes of candidates. In longer horizons neighbouring steps share a mix.
MAX_MIXES = 12
# The most logits for earlier seasons, over all mixes. This limits how many seasons are used.
MAX_SEASON_LOGITS = 60
# The most corrections and widths. In longer horizons neighbouring steps share them.
MAX_CORRECTIONS = 96
# The most weights. The linear path from the window to the median is left out if it would exceed this.
MAX_WEIGHTS = 100_000

_CELLS: dict[Cell, Any] = {
    "gru": keras.layers.GRUCell,
    "lstm": keras.layers.LSTMCell,
    "rnn": keras.layers.SimpleRNNCell,
}


def segment_steps(window: int, seasons: Sequence[int]) -> int:
    """Readings per step of the RNN: a whole season if one fits. There are at most MAX_SEGMENTS segments."""
    least = -(-window // MAX_SEGMENTS)
    whole = [season for season in seasons if least <= season <= min(window // 2, MAX_SEGMENT_STEPS)]
    if whole:
        return min(whole)
    return max(least, min(SEGMENT_STEPS, -(-window // 3)))


def _hidden_layer(settings: TrainingSettings, segments: Sequence[Any], facts: Any) -> Any:
    """The RNN over the segments, and a hidden layer on its last output and the facts: (batch, units)."""
    units = settings.units
    # The cell is called directly: a Keras layer would read the batch size, which XNNPACK does not support.
    cell = _CELLS[settings.cell](units, name="rnn")
    first = keras.layers.Dense(units, activation="tanh", name="first")(facts)
    states = [first] * (2 if settings.cell == "lstm" else 1)
    embed = keras.layers.Dense(units, activation="relu", name="segment")
    for segment in segments:
        output, states = cell(embed(segment), states)
    state = keras.layers.Dropout(settings.dropout)(output)
    state = keras.layers.Concatenate()([state, facts])
    return keras.layers.Dense(units, activation="relu", name="hidden")(state)


def _by_step(points: Any, horizon: int, sides: int = 1) -> Any:
    """Points of each side as (batch, sides × horizon). In horizons beyond MAX_CORRECTIONS steps share a point."""
    return SharedPoints(horizon, sides)(points) if horizon > MAX_CORRECTIONS else points


def build_network(settings: TrainingSettings) -> Any:
    """A Keras model: `windows` (batch, window) raw → {"forecast": (batch, horizon, 3)} in the same unit."""
    assert len(QUANTILES) == 3
    window, horizon = settings.window, settings.horizon
    windows = keras.Input((window,), name="windows", dtype="float32")
    scaled, quantiles, level, scale = Scale(name="scale")(windows)
    lags = range(1, min(window // 2, MAX_LAG) + 1)
    deviation, drifts = LagFigures(lags, window, name="figures")(scaled)
    steps = segment_steps(window, settings.seasons)
    pooled = -(-steps // MAX_SEGMENT_STEPS)
    segments, facts = SegmentView(-(-steps // pooled), pooled, name="view")(
        [scaled, quantiles, deviation, drifts]
    )

    state = _hidden_layer(settings, segments, facts)

    def head(name: str, size: int, activation: str | None = None) -> Any:
        """An output of the hidden layer: (batch, size). It is activation(0) before training."""
        return keras.layers.Dense(size, activation, kernel_initializer="zeros", name=name)(state)

    lag_logits, shares = head("wished_lags", len(lags)), head("added", 2, "sigmoid")
    repeated, misfit = LagMix(lags, horizon, window, name="lags")(
        [scaled, deviation, drifts, lag_logits, shares]
    )
    forecasts = [Swell(name="swell")([repeated, head("swelling", 1, "tanh")])]
    if settings.seasons and settings.seasons[0] <= window:
        season = settings.seasons[0]
        mixes = min(-(-horizon // season), MAX_MIXES)
        logits = head("wished_seasons", min(window // season, MAX_SEASON_LOGITS // mixes) * mixes)
        forecasts.append(SeasonMix(season, horizon, mixes, name="seasons")([scaled, logits]))
    gates = head("gates", (len(forecasts) + len(MEDIANS) + 1) * min(horizon, MAX_MIXES), "sigmoid")
    middle = CandidateMix(name="middle")([scaled, quantiles, gates, forecasts])
    middle = middle + misfit * _by_step(head("correction", min(horizon, MAX_CORRECTIONS)), horizon)
    spreads = head("wished_spreads", 10)
    factors = _by_step(head("factors", 2 * min(horizon, MAX_CORRECTIONS)), horizon, sides=2)
    widths = Widths(name="widths")([quantiles, misfit, spreads, factors])
    others = keras.Model(windows, [middle, widths]).count_params() + 2 * horizon
    if settings.seasons and others + window * horizon < MAX_WEIGHTS:
        skip = keras.layers.Dense(horizon, kernel_initializer="zeros", use_bias=False, name="skip")
        middle = middle + skip(scaled)
    forecast = Quantiles(name="quantiles")([middle, widths, level, scale])
    return keras.Model(windows, {"forecast": forecast}, name="forecast")
