"""Trains the base model further on a user's series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from fncast.series.time_series import TimeSeries
from fncast.series.window import MIN_HISTORY, MISSING, Float32Array, Float64Array
from fncast.series.window_sizes import window_for
from model_service.training.backend import keras, seed_everything
from model_service.training.base.examples import draw_examples, draw_gaps
from model_service.training.base.folder import weights_file
from model_service.training.base.network import build_base_network
from model_service.training.base.pool import SeriesPool
from model_service.training.base.shape import QUANTILES, SHORT, SIZES, Size
from model_service.training.base.user_examples import UserExamples
from model_service.training.dataset import TrainingWindows
from model_service.training.settings import TrainingSettings
from model_service.training.trained import Draw, Epoch, Trained, pinball, predict
from model_service.training.trainer import (
    MAX_VALIDATION_WINDOWS,
    calibrate,
    load_weights,
    run_epochs,
    steps_per_epoch,
    training_parts,
    validation_set,
)

# Limits that keep a fine-tuning shorter than a training from scratch, by the window of the size.
MAX_EPOCHS, PATIENCE = 12, 3
STEPS = {64: 100, 512: 50}
BATCH = {64: 256, 512: 128}
# Generated examples keep the model good at what the user's series do not show.
GENERATED_SHARE, GENERATED_SERIES, MASKS = 0.25, 400, 500
# Generated series from here on were used neither to train nor to validate nor to calibrate the base model.
GENERATED_FROM = 1 << 28
COMPARED = [QUANTILES.index(level) for level in (0.1, 0.5, 0.9)]


@dataclass
class FineTuned(Trained):
    """A base model that was trained further. `network` forecasts `settings.horizon` steps.

    base: the whole network, whose weights a next training can start from.
    """

    size: Size = SHORT
    base: Any = field(default=None)

    @property
    def levels(self) -> tuple[float, ...]:
        return QUANTILES

    def forecast(self, windows: Float32Array) -> Float32Array:
        return predict(self.network, padded(windows, self.size.window))[:, :, COMPARED]

    def scale_bands(self, below: Float32Array, above: Float32Array) -> None:
        factors = self.network.get_layer("bands").factors
        steps = np.minimum(self.size.knots, len(below) - 1)
        half = len(QUANTILES) // 2
        sides = [np.repeat(side[steps][:, np.newaxis], half, axis=1) for side in (below, above)]
        factors.assign(factors.numpy() * np.concatenate(sides, axis=1))

    def windows_of(self, parts: Sequence[Float64Array]) -> tuple[int, Draw]:
        found = UserExamples(parts, self.size, self.settings.window, self.settings.horizon)
        return len(found), drawing(found, self.size, self.settings)

    def save_weights(self, folder: Path) -> None:
        self.base.save_weights(folder / weights_file(self.size))


def fitting_size(settings: TrainingSettings) -> Size | None:
    """The size that forecasts windows of these settings in service; None: no size can."""
    if settings.window < MIN_HISTORY or settings.horizon > SIZES[-1].horizon:
        return None
    sizes = [(size.window, size.horizon) for size in SIZES]
    chosen = window_for(sizes, settings.window, settings.horizon)
    return next(size for size in SIZES if size.window == chosen)


def padded(windows: Float32Array, length: int) -> Float32Array:
    """The last `length` readings of windows (count, window); shorter ones are padded in front with MISSING."""
    kept = windows[:, -length:]
    result = np.full((len(kept), length), MISSING, dtype=np.float32)
    result[:, length - kept.shape[1] :] = kept
    return result


def load_base(size: Size, horizon: int, weights: Path) -> tuple[Any, Any]:
    """The base network of a size with weights from a file, and the network that forecasts `horizon` of its steps.

    Both share their layers. Raises UnfitWeights.
    """
    base = build_base_network(size)
    load_weights(base, weights)
    if horizon == size.horizon:
        return base, base
    cut = keras.layers.Lambda(lambda forecast: forecast[:, :horizon], name="horizon")
    return base, keras.Model(base.input, {"forecast": cut(base.output["forecast"])}, name=base.name)


def fine_tune(
    series: Sequence[TimeSeries],
    settings: TrainingSettings,
    size: Size,
    weights: Path,
    progress: Callable[[Epoch], None] = lambda epoch: None,
    closing: Callable[[], None] = lambda: None,
) -> FineTuned:
    """Train the base model further on the first part of each series; validate and calibrate on the second.

    weights: a file with those to start from, which are kept if no epoch is better. Otherwise as `train`.
    """
    seed_everything(settings.seed)
    settings = tuning_settings(settings, size)
    training = UserExamples(training_parts(series, settings), size, settings.window, settings.horizon)
    validation = validation_set(series, settings)
    base, network = load_base(size, settings.horizon, weights)
    tuned = FineTuned(
        network,
        settings,
        train_windows=len(training),
        validation_windows=len(validation),
        untrained=[series[position].name for position in training.unused],
        size=size,
        base=base,
    )
    held_out = validation.spread(MAX_VALIDATION_WINDOWS)
    tuned.initial_error = pinball(tuned.forecast(held_out.windows), held_out)
    steps = steps_per_epoch(len(training), settings)
    run_epochs(tuned, drawing(training, size, settings), steps, held_out, progress)
    closing()
    calibrate(tuned, held_out, independent=len(validation) / settings.horizon)
    tuned.final_error = pinball(tuned.forecast(held_out.windows), held_out)
    return tuned


def tuning_settings(settings: TrainingSettings, size: Size) -> TrainingSettings:
    """The settings of a training, within the limits of a fine-tuning."""
    return replace(
        settings,
        epochs=min(settings.epochs, MAX_EPOCHS),
        steps_per_epoch=min(settings.steps_per_epoch, STEPS[size.window]),
        batch=min(settings.batch, BATCH[size.window]),
        patience=min(settings.patience, PATIENCE),
    )


def drawing(users: UserExamples, size: Size, settings: TrainingSettings) -> Draw:
    """Return a function that draws windows of the user's series, mixed with generated ones."""
    pool = SeriesPool(settings.seed, GENERATED_FROM, GENERATED_SERIES)

    def draw(rng: np.random.Generator, count: int, epoch: int) -> TrainingWindows:
        gaps = draw_gaps(rng, MASKS, size.window)
        generated = int(GENERATED_SHARE * count)
        parts = [
            users.draw(rng, count - generated, gaps),
            draw_examples(rng, pool.series, generated, size, gaps),
        ]
        order = rng.permutation(count)
        return TrainingWindows(
            np.concatenate([part.windows for part in parts])[order],
            np.concatenate([part.targets[:, : settings.horizon] for part in parts])[order],
            np.concatenate([part.weights for part in parts])[order],
        )

    return draw
