"""Trains the network: epochs, early stopping, calibration."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fncast.series.time_series import TimeSeries
from fncast.series.window import Float64Array
from model_service.training.backend import seed_everything
from model_service.training.calibration import band_factors
from model_service.training.curriculum import Curriculum
from model_service.training.dataset import Dataset, TooLittleData, TrainingWindows, split
from model_service.training.network import build_network
from model_service.training.optimizer import batches, epoch_runner
from model_service.training.settings import QUANTILES, TrainingSettings
from model_service.training.trained import Draw, Epoch, Trained, pinball, squared_error

# About how many windows are used for validation and calibration; more would not change the results noticeably.
MAX_VALIDATION_WINDOWS = 8_192
# An epoch uses each window about this often at most, because short series would be overfitted within one epoch.
PASSES_PER_EPOCH = 2
MIN_STEPS_PER_EPOCH = 20
# The least steps per epoch if generated windows are mixed in, of which there are many.
MIXED_STEPS_PER_EPOCH = 80


class NoEpoch(KeyboardInterrupt):
    """Interrupted before the end of the first epoch, so there is no result."""


class UnfitWeights(ValueError):
    """The initial weights cannot be read or do not fit the network. The text names the file."""


def train(
    series: Sequence[TimeSeries],
    settings: TrainingSettings,
    progress: Callable[[Epoch], None] = lambda epoch: None,
    initial_weights: Path | None = None,
    companions: Sequence[Float64Array] = (),
    closing: Callable[[], None] = lambda: None,
) -> Trained:
    """Train on the first part of each series, validate and calibrate on the second. The test part is not used.

    progress: called after each epoch. initial_weights: a file; kept if no epoch is better. companions: generated series
    for the `Curriculum`, each (n,). closing: called after the last epoch, before steps that must not be interrupted.

    The averaged weights are validated and kept (Polyak and Juditsky 1992), not those of the last step. A
    KeyboardInterrupt ends training with the best weights so far. Raises TooLittleData, UnfitWeights, or NoEpoch if
    interrupted in the first epoch.
    """
    seed_everything(settings.seed)
    training = Dataset(training_parts(series, settings), settings.window, settings.horizon)
    validation = validation_set(series, settings)
    network = build_network(settings)
    if initial_weights is not None:
        load_weights(network, initial_weights)
    trained = Trained(
        network,
        settings,
        train_windows=len(training),
        validation_windows=len(validation),
        bridged_windows=training.bridged,
        untrained=[series[position].name for position in training.unused],
    )
    held_out = validation.spread(MAX_VALIDATION_WINDOWS)
    if initial_weights is not None:
        trained.initial_error = pinball(trained.forecast(held_out.windows), held_out)
    draw, steps, warm_up = _drawing(training, settings, companions)
    run_epochs(trained, draw, steps, held_out, progress, warm_up)
    closing()
    calibrate(trained, held_out, independent=len(validation) / settings.horizon)
    trained.final_error = pinball(trained.forecast(held_out.windows), held_out)
    return trained


def _drawing(
    training: Dataset, settings: TrainingSettings, companions: Sequence[Float64Array]
) -> tuple[Draw, int, int]:
    """A function that draws the windows of an epoch, the steps of an epoch, and the number of warm-up epochs."""
    steps = steps_per_epoch(len(training), settings)
    if not companions:
        return lambda rng, count, number: training.draw(rng, count), steps, 0
    generated = Dataset(companions, settings.window, settings.horizon)
    curriculum = Curriculum(training, generated, settings.epochs)
    steps = max(steps, min(settings.steps_per_epoch, MIXED_STEPS_PER_EPOCH))
    return curriculum.draw, steps, curriculum.warm_up


def load_weights(network: Any, file: Path) -> None:
    """Load the weights of a network. Raises UnfitWeights.

    Keras finds the weights of a layer by its class name, so renaming such a class makes earlier files unreadable.
    """
    try:
        network.load_weights(file)
    except (OSError, ValueError) as mismatch:
        reason = str(mismatch).splitlines()[0]
        raise UnfitWeights(f"{file}: does not fit the network of this version of fncast: {reason}") from None


def run_epochs(
    trained: Trained,
    draw: Draw,
    steps: int,
    held_out: TrainingWindows,
    progress: Callable[[Epoch], None],
    warm_up: int = 0,
) -> None:
    """Train the network until its validation error no longer falls, and leave it with its best weights.

    steps: of an epoch. warm_up: epochs that do not count for early stopping. If `trained.initial_error` is set, the
    initial weights are kept where no epoch is better. Raises NoEpoch.
    """
    network, settings = trained.network, trained.settings
    rng = np.random.default_rng(settings.seed)
    naive = _naive_error(held_out)
    best = math.inf if trained.initial_error is None else trained.initial_error
    weights = network.get_weights()
    run_epoch, optimizer = epoch_runner(network, settings, steps, trained.levels)
    for number in range(1, settings.epochs + 1):
        try:
            started = time.monotonic()
            drawn = draw(rng, steps * settings.batch, number)
            train_error = float(run_epoch(*batches(drawn, steps, settings.batch)))
            averaged, error, squared = _validated_average(trained, optimizer, held_out)
            seconds = time.monotonic() - started
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
        if number - max(trained.best_epoch, warm_up) >= settings.patience:
            trained.stopped = "early"
            break
    network.set_weights(weights)


def _validated_average(
    trained: Trained, optimizer: Any, held_out: TrainingWindows
) -> tuple[list[Any], float, float]:
    """The averaged weights, and their validation error and squared error. The network keeps its current weights."""
    network = trained.network
    current = network.get_weights()
    optimizer.finalize_variable_values(network.trainable_variables)  # sets the averaged weights
    forecast = trained.forecast(held_out.windows)
    averaged = network.get_weights()
    network.set_weights(current)
    return averaged, pinball(forecast, held_out), squared_error(forecast, held_out)


def calibrate(trained: Trained, held_out: TrainingWindows, independent: float) -> None:
    """Scale the bands so that they hold their share of the readings after held-out windows.

    independent: number of windows that share no targets.
    """
    forecast = trained.forecast(held_out.windows)
    trained.scale_bands(*band_factors(forecast, held_out.targets, QUANTILES[0], independent))


def training_parts(series: Sequence[TimeSeries], settings: TrainingSettings) -> list[Float64Array]:
    """The readings of each series for training, each (n,)."""
    return [
        each.values[: split(len(each), settings.test_share, settings.validation_share).train]
        for each in series
    ]


def validation_set(series: Sequence[TimeSeries], settings: TrainingSettings) -> Dataset:
    """The validation windows: only their first readings may be those of the training. Raises TooLittleData."""
    after = []
    for each in series:
        cut = split(len(each), settings.test_share, settings.validation_share)
        after.append(each.values[max(0, cut.train - settings.window) : cut.validation])
    try:
        return Dataset(after, settings.window, settings.horizon)
    except TooLittleData as error:
        raise TooLittleData(f"{error} (for validation)") from None


def steps_per_epoch(windows: int, settings: TrainingSettings) -> int:
    """The steps of an epoch: those of the settings, or fewer if there are few windows."""
    enough = math.ceil(PASSES_PER_EPOCH * windows / settings.batch)
    return min(settings.steps_per_epoch, max(MIN_STEPS_PER_EPOCH, enough))


def _naive_error(held_out: TrainingWindows) -> float:
    """The loss of the last value as the forecast of every quantile. The last value of scaled windows is 0."""
    return pinball(np.zeros((*held_out.targets.shape, len(QUANTILES))), held_out)
