"""Trains the network: epochs, early stop, calibration."""

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
from model_service.training.curriculum import Mixture
from model_service.training.dataset import Dataset, TooLittleData, Windows, split
from model_service.training.network import build_network
from model_service.training.optimizer import batches, epoch_runner
from model_service.training.settings import QUANTILES, TrainingSettings

# Windows for the validation error and the calibration; more change neither in the third digit.
MAX_VALIDATION_WINDOWS = 8_192
# An epoch goes over the windows at most about so often: short series would be learnt by heart within the first one.
PASSES_PER_EPOCH = 2
LEAST_STEPS_PER_EPOCH = 20
# More of them at least, where generated windows are mixed in, which are new each time.
MIXED_STEPS_PER_EPOCH = 80

Float64Array = NDArray[np.float64]


@dataclass(frozen=True)
class Epoch:
    """One line of progress. Errors are mean pinball losses, in units of the usual change of each series."""

    epoch: int
    epochs: int
    train_error: float
    validation_error: float
    naive_error: float  # of the last value, on the same validation windows
    seconds: float
    validation_squared_error: float  # of the median, in squares of that unit


@dataclass
class Trained:
    """The network with its best weights, and how it came there."""

    network: Any
    settings: TrainingSettings
    history: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0  # 0: that of the initial weights, which no epoch made better
    initial_error: float | None = None  # of the initial weights, as an epoch's validation error
    stopped: str = "finished"  # or "early", or "interrupted"
    train_windows: int = 0
    validation_windows: int = 0
    bridged_windows: int = 0  # of those to train on, with gaps that were bridged
    untrained: list[str] = field(default_factory=list)  # names of series without a window to train on


class NoEpoch(KeyboardInterrupt):
    """Interrupted before the first epoch was over: there is nothing to keep."""


class UnfitWeights(ValueError):
    """Initial weights that cannot be read, or are another network's; the text says of which file."""


def train(
    series: Sequence[Series],
    settings: TrainingSettings,
    progress: Callable[[Epoch], None] = lambda epoch: None,
    initial_weights: Path | None = None,
    companions: Sequence[Float64Array] = (),
    closing: Callable[[], None] = lambda: None,
) -> Trained:
    """Train on the first part of each series, stop and calibrate on the next, leave the last alone.

    companions: generated series, which the network is trained on first, and later beside the others (`Mixture`).
    Validated and kept are the averaged weights (Polyak and Juditsky 1992), not those of the last step; the initial
    ones, if there are any, where no epoch is better. A KeyboardInterrupt ends training with the best weights so far, if
    there are any. `closing` is called once the last epoch is over: what follows takes some seconds, and an interrupt
    there would lose it all. Raises TooLittleData, UnfitWeights, NoEpoch."""
    seed_everything(settings.seed)
    rng = np.random.default_rng(settings.seed)
    training, validation = _datasets(series, settings)
    network = build_network(settings)
    if initial_weights is not None:
        try:
            network.load_weights(initial_weights)
        except (OSError, ValueError) as mismatch:
            told = str(mismatch).splitlines()[0]
            raise UnfitWeights(
                f"{initial_weights}: does not fit the network of this fncast: {told}"
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
    mixture, steps = None, steps_per_epoch(len(training), settings)
    if companions:
        mixture = Mixture(training, Dataset(companions, settings.window, settings.horizon), settings.epochs)
        steps = max(steps, min(settings.steps_per_epoch, MIXED_STEPS_PER_EPOCH))
    run_epoch, optimizer = epoch_runner(network, settings, steps)
    for number in range(1, settings.epochs + 1):
        try:
            started = time.monotonic()
            count = steps * settings.batch
            drawn = mixture.draw(rng, count, number) if mixture else training.draw(rng, count)
            train_error = float(run_epoch(*batches(drawn, steps, settings.batch)))
            current = network.get_weights()
            optimizer.finalize_variable_values(network.trainable_variables)  # the averaged ones
            forecast = predict(network, held_out.windows)
            error = pinball(forecast, held_out)
            averaged = network.get_weights()
            network.set_weights(current)
            seconds = time.monotonic() - started
            squared = squared_error(forecast, held_out)
            epoch = Epoch(number, settings.epochs, train_error, error, naive, seconds, squared)
            trained.history.append(epoch)  # before its weights are the best: an interrupt may come in between
            if error < best:
                weights, best, trained.best_epoch = averaged, error, number
            progress(epoch)
        except KeyboardInterrupt:
            if not trained.history:
                raise NoEpoch from None
            trained.stopped = "interrupted"
            break
        if number - max(trained.best_epoch, mixture.warm_up if mixture else 0) >= settings.patience:
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
    return trained


def predict(network: Any, windows: np.ndarray[Any, Any], batch: int = 2_048) -> np.ndarray[Any, Any]:
    """(count, window) → (count, horizon, 3) float32, without dropout."""
    answers = [
        np.asarray(network(windows[start : start + batch], training=False)["forecast"])
        for start in range(0, len(windows), batch)
    ]
    return np.concatenate(answers)


def pinball(forecast: np.ndarray[Any, Any], actual: Windows) -> float:
    """Mean weighted pinball loss over windows, steps and quantiles; targets that are NaN do not count."""
    difference = actual.targets[:, :, np.newaxis] - forecast
    levels = np.array(QUANTILES)
    losses = np.maximum(levels * difference, (levels - 1) * difference)
    return float(np.nanmean(losses * actual.weights[:, np.newaxis, np.newaxis]))


def squared_error(forecast: np.ndarray[Any, Any], actual: Windows) -> float:
    """Mean squared error of the median, weighted as the pinball loss is; targets that are NaN do not count."""
    errors = (actual.targets - forecast[:, :, 1]) * actual.weights[:, np.newaxis]
    return float(np.nanmean(errors**2))


def _datasets(series: Sequence[Series], settings: TrainingSettings) -> tuple[Dataset, Dataset]:
    """Training and validation windows. No training window or target reaches over the cut; what is forecast for
    validation lies behind it, and only the readings it is forecast from may reach back. Raises TooLittleData."""
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
    """As many as the settings say, fewer where there are few windows to train on."""
    enough = math.ceil(PASSES_PER_EPOCH * windows / settings.batch)
    return min(settings.steps_per_epoch, max(LEAST_STEPS_PER_EPOCH, enough))


def _naive_error(held_out: Windows) -> float:
    """The loss of the last value, which scaled windows have at 0, as every quantile."""
    return pinball(np.zeros((*held_out.targets.shape, len(QUANTILES))), held_out)
