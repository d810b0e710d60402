"""Trains the network: epochs, early stopping, calibration."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fncast.series.series import Series
from model_service.training.backend import seed_everything
from model_service.training.calibration import band_factors
from model_service.training.curriculum import Curriculum
from model_service.training.dataset import Dataset, TooLittleData, Windows, split
from model_service.training.network import build_network
from model_service.training.optimizer import batches, epoch_runner
from model_service.training.settings import QUANTILES, TrainingSettings

# The most windows for validation and calibration; more would not change the results noticeably.
MAX_VALIDATION_WINDOWS = 8_192
# An epoch uses each window about this often at most, because short series would be overfitted within one epoch.
PASSES_PER_EPOCH = 2
LEAST_STEPS_PER_EPOCH = 20
# The least steps per epoch if generated windows are mixed in, of which there are many.
MIXED_STEPS_PER_EPOCH = 80

Float64Array = NDArray[np.float64]


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
    rival_error: float | None = None  # that of the rival, on the same windows
    untrained: list[str] = field(default_factory=list)  # names of series without a usable window


class NoEpoch(KeyboardInterrupt):
    """Interrupted before the end of the first epoch, so there is no result."""


class UnfitWeights(ValueError):
    """The initial weights cannot be read or do not fit the network. The text names the file."""


def train(
    series: Sequence[Series],
    settings: TrainingSettings,
    progress: Callable[[Epoch], None] = lambda epoch: None,
    initial_weights: Path | None = None,
    companions: Sequence[Float64Array] = (),
    closing: Callable[[], None] = lambda: None,
    rival: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]] | None = None,
) -> Trained:
    """Train on the first part of each series, validate and calibrate on the second. The test part is not used.

    progress: called after each epoch. initial_weights: a file; kept if no epoch is better. companions: generated series
    for the `Curriculum`. closing: called after the last epoch, before steps that must not be interrupted. rival:
    another forecaster, from scaled windows to (count, horizon, 3), which is scored on the same validation windows.

    The averaged weights are validated and kept (Polyak and Juditsky 1992), not those of the last step. A
    KeyboardInterrupt ends training with the best weights so far. Raises TooLittleData, UnfitWeights, or NoEpoch if
    interrupted in the first epoch."""
    seed_everything(settings.seed)
    rng = np.random.default_rng(settings.seed)
    training, validation = _datasets(series, settings)
    network = build_network(settings)
    if initial_weights is not None:
        try:
            network.load_weights(initial_weights)
        except (OSError, ValueError) as mismatch:
            reason = str(mismatch).splitlines()[0]
            raise UnfitWeights(
                f"{initial_weights}: does not fit the network of this version of fncast: {reason}"
            ) from None
    trained = Trained(
        network,
        settings,
        train_windows=len(training),
        validation_windows=len(validation),
        bridged_windows=training.bridged,
        untrained=[series[position].name for position in training.unused],
    )
    held_out = validation.spread(MAX_VALIDATION_WINDOWS)
    naive = _naive_error(held_out)
    best, weights = math.inf, network.get_weights()
    if initial_weights is not None:
        trained.initial_error = best = pinball(predict(network, held_out.windows), held_out)
    curriculum, steps = None, steps_per_epoch(len(training), settings)
    if companions:
        curriculum = Curriculum(
            training, Dataset(companions, settings.window, settings.horizon), settings.epochs
        )
        steps = max(steps, min(settings.steps_per_epoch, MIXED_STEPS_PER_EPOCH))
    run_epoch, optimizer = epoch_runner(network, settings, steps)
    for number in range(1, settings.epochs + 1):
        try:
            started = time.monotonic()
            count = steps * settings.batch
            drawn = curriculum.draw(rng, count, number) if curriculum else training.draw(rng, count)
            train_error = float(run_epoch(*batches(drawn, steps, settings.batch)))
            current = network.get_weights()
            optimizer.finalize_variable_values(network.trainable_variables)  # sets the averaged weights
            forecast = predict(network, held_out.windows)
            error = pinball(forecast, held_out)
            averaged = network.get_weights()
            network.set_weights(current)
            seconds = time.monotonic() - started
            squared = squared_error(forecast, held_out)
            epoch = Epoch(number, settings.epochs, train_error, error, naive, seconds, squared)
            trained.history.append(epoch)  # first, because an interrupt may follow at any time
            if error < best:
                weights, best, trained.best_epoch = averaged, error, number
            progress(epoch)
        except KeyboardInterrupt:
            if not trained.history:
                raise NoEpoch from None
            trained.stopped = "interrupted"
            break
        if number - max(trained.best_epoch, curriculum.warm_up if curriculum else 0) >= settings.patience:
            trained.stopped = "early"
            break
    closing()
    network.set_weights(weights)
    below, above = band_factors(
        predict(network, held_out.windows),
        held_out.targets,
        miss=QUANTILES[0],
        independent=len(validation) / settings.horizon,
    )
    quantiles = network.get_layer("quantiles")
    quantiles.below.assign(below * quantiles.below.numpy())
    quantiles.above.assign(above * quantiles.above.numpy())
    trained.final_error = pinball(predict(network, held_out.windows), held_out)
    if rival is not None:
        trained.rival_error = pinball(rival(held_out.windows), held_out)
    return trained


def predict(network: Any, windows: np.ndarray[Any, Any], batch: int = 2_048) -> np.ndarray[Any, Any]:
    """Forecast without dropout: (count, window) → (count, horizon, 3), float32."""
    forecasts = [
        np.asarray(network(windows[start : start + batch], training=False)["forecast"])
        for start in range(0, len(windows), batch)
    ]
    return np.concatenate(forecasts)


def pinball(forecast: np.ndarray[Any, Any], actual: Windows) -> float:
    """The mean weighted pinball loss over windows, steps and quantiles. Ignores missing targets."""
    difference = actual.targets[:, :, np.newaxis] - forecast
    levels = np.array(QUANTILES)
    losses = np.maximum(levels * difference, (levels - 1) * difference)
    return float(np.nanmean(losses * actual.weights[:, np.newaxis, np.newaxis]))


def squared_error(forecast: np.ndarray[Any, Any], actual: Windows) -> float:
    """The mean weighted squared error of the median. Ignores missing targets."""
    errors = (actual.targets - forecast[:, :, 1]) * actual.weights[:, np.newaxis]
    return float(np.nanmean(errors**2))


def _datasets(series: Sequence[Series], settings: TrainingSettings) -> tuple[Dataset, Dataset]:
    """The training and validation windows. Raises TooLittleData.

    Training windows and targets are before the cut, validation targets after it. Only the readings of a validation
    window may be before the cut."""
    before, after = [], []
    for one in series:
        cut = split(len(one), settings.test_share, settings.validation_share)
        before.append(one.values[: cut.train])
        after.append(one.values[max(0, cut.train - settings.window) : cut.validation])
    training = Dataset(before, settings.window, settings.horizon)
    try:
        return training, Dataset(after, settings.window, settings.horizon)
    except TooLittleData as error:
        raise TooLittleData(f"{error} (for validation)") from None


def steps_per_epoch(windows: int, settings: TrainingSettings) -> int:
    """The steps of an epoch: those of the settings, or fewer if there are few windows."""
    enough = math.ceil(PASSES_PER_EPOCH * windows / settings.batch)
    return min(settings.steps_per_epoch, max(LEAST_STEPS_PER_EPOCH, enough))


def _naive_error(held_out: Windows) -> float:
    """The loss of the last value as the forecast of every quantile. The last value of scaled windows is 0."""
    return pinball(np.zeros((*held_out.targets.shape, len(QUANTILES))), held_out)
