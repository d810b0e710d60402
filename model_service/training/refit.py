"""Trains a network further on the readings of its evaluation too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fncast.series.time_series import TimeSeries
from model_service.training.dataset import Dataset, TooLittleData
from model_service.training.optimizer import batches, epoch_runner
from model_service.training.trained import Trained
from model_service.training.trainer import MAX_VALIDATION_WINDOWS, calibrate, steps_per_epoch

# The learning rate of the refit, as a share of that of the training: no part is left to notice overfitting.
REFIT_RATE = 0.1
# The last part of each series, on which the band is calibrated again.
CALIBRATION_SHARE = 0.1


@dataclass(frozen=True)
class Refit:
    """A finished refit. windows: training windows. calibration_windows: 0 where the band keeps its width.

    before: the weights before it.
    """

    epochs: int
    steps_per_epoch: int
    windows: int
    calibration_windows: int
    learning_rate: float
    before: list[Any]

    def as_json(self) -> dict[str, object]:
        """For model.json, without the weights."""
        return {
            "epochs": self.epochs,
            "steps_per_epoch": self.steps_per_epoch,
            "windows": self.windows,
            "calibration_windows": self.calibration_windows,
            "learning_rate": self.learning_rate,
            "metrics": "before the refit",
        }

    def save_before(self, trained: Trained, folder: Path) -> None:
        """Write the weights before the refit as those to start from.

        A training from them can be validated and evaluated, because they have not seen these parts.
        """
        after = trained.network.get_weights()
        trained.network.set_weights(self.before)
        trained.save_weights(folder)
        trained.network.set_weights(after)


def refit(trained: Trained, series: Sequence[TimeSeries]) -> Refit:
    """Train the network further on all readings but the last of each series, and calibrate its band on those.

    The epochs are those of the training up to its best, times the share of windows that it did not use. Where the last
    part is too short, the band keeps its width. After a KeyboardInterrupt the network has its weights from before.
    """
    settings, network = trained.settings, trained.network
    cuts = [len(each) - int(CALIBRATION_SHARE * len(each)) for each in series]
    count, draw = trained.windows_of([each.values[:cut] for each, cut in zip(series, cuts, strict=True)])
    unused = max(0.0, 1 - trained.train_windows / count)
    epochs = max(1, round(trained.best_epoch * unused))
    rate = settings.learning_rate * REFIT_RATE
    steps = steps_per_epoch(count, settings)
    before = network.get_weights()
    run_epoch, optimizer = epoch_runner(
        network, replace(settings, learning_rate=rate, epochs=epochs), steps, trained.levels
    )
    rng = np.random.default_rng(settings.seed)
    try:
        for number in range(1, epochs + 1):
            run_epoch(*batches(draw(rng, steps * settings.batch, number), steps, settings.batch))
        optimizer.finalize_variable_values(network.trainable_variables)  # sets the averaged weights
        calibrated = _calibrate(trained, series, cuts)
    except KeyboardInterrupt:
        network.set_weights(before)
        raise
    return Refit(epochs, steps, count, calibrated, rate, before)


def _calibrate(trained: Trained, series: Sequence[TimeSeries], cuts: Sequence[int]) -> int:
    """Calibrate the band on the readings from the cuts on, and return the number of their windows."""
    settings = trained.settings
    last = [each.values[max(0, cut - settings.window) :] for each, cut in zip(series, cuts, strict=True)]
    try:
        held_out = Dataset(last, settings.window, settings.horizon)
    except TooLittleData:
        return 0
    calibrate(trained, held_out.spread(MAX_VALIDATION_WINDOWS), len(held_out) / settings.horizon)
    return len(held_out)
