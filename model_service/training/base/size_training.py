"""Trains and calibrates one size of the base model, and writes its files."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from model_service.training.backend import tf
from model_service.training.base.calibration import STILL, calibrate, calibrate_widening
from model_service.training.base.examples import draw_examples, draw_gaps
from model_service.training.base.fit import BATCH, FitProgress, fit, loss_on, validation_examples
from model_service.training.base.folder import TrainedSize, export
from model_service.training.base.pool import SeriesPool, generated_unseen
from model_service.training.base.shape import Size
from model_service.training.version_writer import weights_sha256

STEPS = {64: 36_000, 512: 16_000}
# Series for calibration have numbers from here on: neither trained nor validated on.
CALIBRATION_FROM, CALIBRATION_SERIES, CALIBRATION_EXAMPLES = 1 << 29, 1_500, 12_000


def state_folder(state: Path, size: Size, seed: int, steps: int) -> Path:
    """The folder of checkpoints of one run. A run with other settings has another folder and starts from step 0."""
    return state / f"{size.window}-seed-{seed}-steps-{steps}"


def train(size: Size, out: Path, state: Path, seed: int, steps: int | None) -> TrainedSize:
    """Train one size, calibrate it and write its files."""
    # One thread: small operations gain nothing from more, and the order of sums stays the same.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    steps = steps or STEPS[size.window]
    network = fit(size, steps, seed, state_folder(state, size, seed, steps), partial(_print, size))
    set_bands(network, size, seed)
    export(network, size, out)
    loss = loss_on(network, validation_examples(size, seed))
    figures = {"steps": steps, "batch": BATCH[size.window], "validation_loss": float(f"{loss:.4g}")}
    return TrainedSize(size, figures, network.count_params(), weights_sha256(network))


def set_bands(network: Any, size: Size, seed: int) -> None:
    """Calibrate the bands by step on kinds of series that were trained on, and their widening on other kinds as well.

    The other kinds show how much wider the bands have to be for series that the network does not know.
    """
    rng = np.random.default_rng((seed, 3))
    seen = SeriesPool(seed, CALIBRATION_FROM, CALIBRATION_SERIES).series
    gaps = draw_gaps(rng, CALIBRATION_SERIES, size.window)
    calibrate(network, size, draw_examples(rng, seen, CALIBRATION_EXAMPLES, size, gaps, STILL))
    unseen = SeriesPool(seed, CALIBRATION_FROM, CALIBRATION_SERIES, generated_unseen).series
    calibrate_widening(network, size, np.concatenate([seen, unseen]), rng)


def _print(size: Size, progress: FitProgress) -> None:
    print(
        f"{size.window} readings, step {progress.step} of {progress.steps}: loss {progress.loss:.4f},"
        f" validation {progress.validation:.4f}, {progress.seconds:.0f} s",
        file=sys.stderr,
        flush=True,
    )
