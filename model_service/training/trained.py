"""The result of a training: the network with its best weights, and how it got there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fncast.series.window import Float32Array, Float64Array
from model_service.training.dataset import Dataset, TrainingWindows
from model_service.training.model_folder import WEIGHTS_FILE
from model_service.training.settings import QUANTILES, TrainingSettings

# Draws windows: (rng, count, number of the epoch, from 1).
Draw = Callable[[np.random.Generator, int, int], TrainingWindows]


@dataclass(frozen=True)
class Epoch:
    """The result of one epoch. Errors are mean pinball losses, in units of the usual change of each series."""

    epoch: int
    epochs: int
    train_error: float
    validation_error: float
    naive_error: float  # of the last value as the forecast, on the same validation windows
    seconds: float
    validation_squared_error: float  # of the median, in squared units


@dataclass
class Trained:
    """The network with its best weights, and the history of the training."""

    network: Any
    settings: TrainingSettings
    history: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0  # 0: no epoch was better than the initial weights
    initial_error: float | None = None  # validation error of the initial weights
    stopped: str = "finished"  # or "early", or "interrupted"
    train_windows: int = 0
    validation_windows: int = 0
    bridged_windows: int = 0  # training windows with bridged gaps
    final_error: float | None = None  # validation error of the calibrated network
    untrained: list[str] = field(default_factory=list)  # names of series without a usable window

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels of the quantiles that the network is trained for."""
        return QUANTILES

    def forecast(self, windows: Float32Array) -> Float32Array:
        """Forecast the quantiles 0.1, 0.5, 0.9: (count, window) → (count, horizon, 3)."""
        return predict(self.network, windows)

    def scale_bands(self, below: Float32Array, above: Float32Array) -> None:
        """Multiply the widths below and above the median. below, above: (horizon,)."""
        quantiles = self.network.get_layer("quantiles")
        quantiles.below.assign(below * quantiles.below.numpy())
        quantiles.above.assign(above * quantiles.above.numpy())

    def windows_of(self, parts: Sequence[Float64Array]) -> tuple[int, Draw]:
        """The number of windows in parts of series that the network can learn from, and a function that draws some.

        parts: (readings,) each. Raises TooLittleData.
        """
        found = Dataset(parts, self.settings.window, self.settings.horizon)
        return len(found), lambda rng, count, epoch: found.draw(rng, count)

    def save_weights(self, folder: Path) -> None:
        """Write the weights that a later training can start from."""
        self.network.save_weights(folder / WEIGHTS_FILE)


def predict(network: Any, windows: Float32Array, batch: int = 2_048) -> Float32Array:
    """Forecast without dropout: (count, window) → (count, horizon, quantiles), float32."""
    forecasts = [
        np.asarray(network(windows[start : start + batch], training=False)["forecast"])
        for start in range(0, len(windows), batch)
    ]
    return np.concatenate(forecasts)


def pinball(forecast: Float32Array | Float64Array, actual: TrainingWindows) -> float:
    """The mean weighted pinball loss over windows, steps and quantiles. Ignores missing targets.

    forecast: (windows, horizon, 3), scaled as `actual`.
    """
    difference = actual.targets[:, :, np.newaxis] - forecast
    levels = np.array(QUANTILES)
    losses = np.maximum(levels * difference, (levels - 1) * difference)
    return float(np.nanmean(losses * actual.weights[:, np.newaxis, np.newaxis]))


def squared_error(forecast: Float32Array, actual: TrainingWindows) -> float:
    """The mean weighted squared error of the median. Ignores missing targets. forecast: (windows, horizon, 3)."""
    errors = (actual.targets - forecast[:, :, 1]) * actual.weights[:, np.newaxis]
    return float(np.nanmean(errors**2))
