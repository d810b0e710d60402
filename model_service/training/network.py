"""The network: an RNN over segments of the scaled window weighs candidates and corrects them.

Candidates for the median are the last reading, the medians of the last readings, seasonal naive forecasts at short
lags, and the same phase of the seasons before; for the widths of the band, the spreads that the window itself shows.
So an untrained network forecasts soundly, and a trained one need not learn to copy a reading through its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model_service.training.backend import keras
from model_service.training.lags import LagFigures, LagMix
from model_service.training.layers import (
    MEDIANS,
    CandidateMix,
    Quantiles,
    Scale,
    SeasonMix,
    SharedPoints,
    Swell,
    View,
    Widths,
)
from model_service.training.settings import QUANTILES, Cell, TrainingSettings

# Every lag up to this is looked at in each window; longer seasons have to be named.
MAX_LAG = 24
# Unrolled steps of the RNN: up to about 14 the unrolled graph is the faster one, and only it converts to LiteRT.
MAX_SEGMENTS = 14
SEGMENT_STEPS = 16
# Of a segment the RNN sees at most so many steps; of a window too long for that, neighbouring readings as one.
MAX_SEGMENT_STEPS = 96
# Steps of the horizon that mix the candidates in their own way; of a longer one neighbours share.
MAX_MIXES = 12
# Logits of the seasons before, over all their mixes; of more seasons the last are taken.
MAX_SEASON_LOGITS = 60
# Steps of the horizon with a correction of their own, and with widths; of a longer one neighbours share.
MAX_CORRECTIONS = 96
# Weights in all, at default units; a linear path from the window to the median is left out where it would go beyond.
MAX_WEIGHTS = 100_000

_CELLS: dict[Cell, Any] = {
    "gru": keras.layers.GRUCell,
    "lstm": keras.layers.LSTMCell,
    "rnn": keras.layers.SimpleRNNCell,
}


def segment_steps(window: int, seasons: Sequence[int]) -> int:
    """Readings per step of the RNN: whole seasons where one fits, and never more than MAX_SEGMENTS segments."""
    least = -(-window // MAX_SEGMENTS)
    whole = [season for season in seasons if least <= season <= min(window // 2, MAX_SEGMENT_STEPS)]
    if whole:
        return min(whole)
    return max(least, min(SEGMENT_STEPS, -(-window // 3)))


def build_network(settings: TrainingSettings) -> Any:
    """A Keras model: `windows` (batch, window) raw → {"forecast": (batch, horizon, 3)} in the same unit."""
    assert len(QUANTILES) == 3
    window, horizon, units = settings.window, settings.horizon, settings.units
    windows = keras.Input((window,), name="windows", dtype="float32")
    scaled, quantiles, level, scale = Scale(name="scale")(windows)
    lags = range(1, min(window // 2, MAX_LAG) + 1)
    deviation, drifts = LagFigures(lags, window, name="figures")(scaled)
    steps = segment_steps(window, settings.seasons)
    pooled = -(-steps // MAX_SEGMENT_STEPS)
    segments, facts = View(-(-steps // pooled), pooled, name="view")([scaled, quantiles, deviation, drifts])

    # The cell is called by hand: a layer that unrolls it asks for the batch's size, and leaves XNNPACK for it.
    cell = _CELLS[settings.cell](units, name="rnn")
    first = keras.layers.Dense(units, activation="tanh", name="first")(facts)
    states = [first] * (2 if settings.cell == "lstm" else 1)
    see = keras.layers.Dense(units, activation="relu", name="segment")
    for segment in segments:
        seen, states = cell(see(segment), states)
    state = keras.layers.Dropout(settings.dropout)(seen)
    state = keras.layers.Concatenate()([state, facts])
    state = keras.layers.Dense(units, activation="relu", name="hidden")(state)

    def ask(name: str, size: int, activation: str | None = None) -> Any:
        """An answer of the hidden layer: (batch, size), 0 before training, or what the activation makes of it."""
        return keras.layers.Dense(size, activation, kernel_initializer="zeros", name=name)(state)

    wishes, added = ask("wished_lags", len(lags)), ask("added", 2, "sigmoid")
    repeated, misfit = LagMix(lags, horizon, window, name="lags")([scaled, deviation, drifts, wishes, added])
    forecasts = [Swell(name="swell")([repeated, ask("swelling", 1, "tanh")])]
    if settings.seasons and settings.seasons[0] <= window:
        season = settings.seasons[0]
        mixes = min(-(-horizon // season), MAX_MIXES)
        logits = ask("wished_seasons", min(window // season, MAX_SEASON_LOGITS // mixes) * mixes)
        forecasts.append(SeasonMix(season, horizon, mixes, name="seasons")([scaled, logits]))
    gates = ask("gates", (len(forecasts) + len(MEDIANS) + 1) * min(horizon, MAX_MIXES), "sigmoid")
    middle = CandidateMix(name="middle")([scaled, quantiles, gates, forecasts])
    correction = ask("correction", min(horizon, MAX_CORRECTIONS))
    if horizon > MAX_CORRECTIONS:
        correction = SharedPoints(horizon)(correction)
    middle = middle + misfit * correction
    spreads, factors = ask("wished_spreads", 10), ask("factors", 2 * min(horizon, MAX_CORRECTIONS))
    if horizon > MAX_CORRECTIONS:
        factors = SharedPoints(horizon, sides=2)(factors)
    widths = Widths(name="widths")([quantiles, misfit, spreads, factors])
    others = keras.Model(windows, [middle, widths]).count_params() + 2 * horizon
    if settings.seasons and others + window * horizon < MAX_WEIGHTS:
        skip = keras.layers.Dense(horizon, kernel_initializer="zeros", use_bias=False, name="skip")
        middle = middle + skip(scaled)
    forecast = Quantiles(name="quantiles")([middle, widths, level, scale])
    return keras.Model(windows, {"forecast": forecast}, name="forecast")
