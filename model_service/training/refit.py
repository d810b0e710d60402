"""Trains a network further on all readings, after its evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fncast.series.series import Series
from model_service.training.dataset import Dataset
from model_service.training.model_folder import WEIGHTS_FILE
from model_service.training.optimizer import batches, epoch_runner
from model_service.training.trainer import Trained, steps_per_epoch

# The learning rate of the refit, as a share of that of the training: no part is left to notice overfitting.
REFIT_RATE = 0.1


@dataclass(frozen=True)
class Refit:
    """A finished refit. windows: training windows in all readings. before: the weights before it."""

    epochs: int
    steps_per_epoch: int
    windows: int
    learning_rate: float
    before: list[Any]

    def as_json(self) -> dict[str, object]:
        return {
            "epochs": self.epochs,
            "steps_per_epoch": self.steps_per_epoch,
            "windows": self.windows,
            "learning_rate": self.learning_rate,
            "metrics": "before the refit",
        }

    def save_before(self, network: Any, folder: Path) -> None:
        """Write the weights before the refit as those to start from.

        A training from them can be validated and evaluated, because they have not seen these parts."""
        after = network.get_weights()
        network.set_weights(self.before)
        network.save_weights(folder / WEIGHTS_FILE)
        network.set_weights(after)


def refit(trained: Trained, series: Sequence[Series]) -> Refit:
    """Train the network further on all readings of the series, in place.

    The epochs are those of the training up to its best, times the share of windows that it did not use. The width of
    the band stays. After a KeyboardInterrupt the network has its weights from before."""
    settings, network = trained.settings, trained.network
    everything = Dataset([one.values for one in series], settings.window, settings.horizon)
    unused = max(0.0, 1 - trained.train_windows / len(everything))
    epochs = max(1, round(trained.best_epoch * unused))
    rate = settings.learning_rate * REFIT_RATE
    steps = steps_per_epoch(len(everything), settings)
    before = network.get_weights()
    run_epoch, optimizer = epoch_runner(network, replace(settings, learning_rate=rate, epochs=epochs), steps)
    rng = np.random.default_rng(settings.seed)
    try:
        for _ in range(epochs):
            run_epoch(*batches(everything.draw(rng, steps * settings.batch), steps, settings.batch))
    except KeyboardInterrupt:
        network.set_weights(before)
        raise
    optimizer.finalize_variable_values(network.trainable_variables)  # sets the averaged weights
    return Refit(epochs, steps, len(everything), rate, before)
