"""Trains one size of the base model on generated series. Resumable: its state is in one folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fncast.series.window import Float32Array
from model_service.training.backend import keras, seed_everything, tf
from model_service.training.base.examples import Examples, draw_examples, draw_gaps
from model_service.training.base.network import build_base_network
from model_service.training.base.pool import SERIES, SeriesPool
from model_service.training.base.shape import QUANTILES, Size

# Windows in a batch, by size: long windows cost more.
BATCH = {64: 256, 512: 128}
# Steps between two renewals of the pool. Validations and checkpoints come after some of these.
CHUNK = 50
RENEWED = 60  # series of the pool, for each chunk
GAPS = 2_000  # random masks, for each chunk
# The learning rate, its end as a share of it, and the steps in which it rises.
RATE, FINAL_RATE, WARM_UP = 3e-3, 0.02, 100
CLIP_NORM, WEIGHT_DECAY = 1.0, 0.002
# Steps of the running mean of the weights, at most a tenth of all steps.
AVERAGED_STEPS = 200
# Validation series have numbers from here on, so no training run reaches them.
VALIDATION_FROM, VALIDATION_SERIES, VALIDATION_EXAMPLES = 1 << 30, 800, 4_096


@dataclass(frozen=True)
class FitProgress:
    """The state of a run.

    loss: the mean of the last chunk. validation: the loss of the averaged weights on validation examples. seconds:
    since the run began or continued.
    """

    step: int
    steps: int
    loss: float
    validation: float
    seconds: float


def step_weights(horizon: int) -> Float32Array:
    """How much each step counts, (horizon,): the next hours more than the far end. The mean is 1."""
    weights = 1 / np.sqrt(1 + np.arange(horizon) / 12)
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def pinball(forecast: Any, targets: Any, weights: Any) -> Any:
    """The mean weighted quantile loss, as a tensor."""
    levels = tf.constant(QUANTILES)
    difference = targets[:, :, tf.newaxis] - forecast
    losses = tf.reduce_mean(tf.maximum(levels * difference, (levels - 1) * difference), axis=2)
    return tf.reduce_mean(losses * step_weights(targets.shape[1]) * weights[:, tf.newaxis])


def validation_examples(size: Size, seed: int) -> Examples:
    """Fixed examples of series that are never trained on."""
    rng = np.random.default_rng((seed, 1))
    pool = SeriesPool(seed, VALIDATION_FROM, VALIDATION_SERIES)
    gaps = draw_gaps(rng, GAPS, size.window)
    return draw_examples(rng, pool.series, VALIDATION_EXAMPLES, size, gaps)


def learning_rates(steps: int) -> Any:
    """The learning rate by step: it rises to RATE, for at most half of a run, and then falls to FINAL_RATE of it."""
    warm_up = min(WARM_UP, steps // 2)
    return keras.optimizers.schedules.CosineDecay(
        RATE / 20, steps - warm_up, alpha=FINAL_RATE, warmup_target=RATE, warmup_steps=warm_up
    )


def fit(
    size: Size,
    steps: int,
    seed: int,
    folder: Path,
    progress: Callable[[FitProgress], None],
    validate_every: int = 10,
    **shape: Any,
) -> Any:
    """Train for `steps` batches and return the network with averaged weights. Continues from the state in `folder`.

    steps: a multiple of CHUNK. progress: called after each validation. validate_every: chunks from one validation and
    checkpoint to the next. shape: as in `build_base_network`.
    """
    seed_everything(seed)
    network = build_base_network(size, **shape)
    optimizer = _optimizer(network, steps)
    done = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(network=network, optimizer=optimizer, done=done)
    manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=1)
    if manager.latest_checkpoint:
        checkpoint.restore(manager.latest_checkpoint)
    held_out = validation_examples(size, seed)
    chunk = int(done.numpy()) // CHUNK
    pool = SeriesPool(seed, chunk * RENEWED, SERIES)
    run = _training_steps(network, optimizer)
    started = time.monotonic()
    while chunk * CHUNK < steps:
        loss = run(*_batches(size, seed, chunk, pool))
        pool.renew(RENEWED)
        chunk += 1
        done.assign(chunk * CHUNK)
        if chunk % validate_every == 0 or chunk * CHUNK >= steps:
            manager.save()
            current = network.get_weights()
            optimizer.finalize_variable_values(network.trainable_variables)
            validation = loss_on(network, held_out)
            network.set_weights(current)
            seconds = time.monotonic() - started
            progress(FitProgress(chunk * CHUNK, steps, float(loss), validation, seconds))
    optimizer.finalize_variable_values(network.trainable_variables)  # sets the averaged weights
    return network


def _optimizer(network: Any, steps: int) -> Any:
    """AdamW with averaged weights, for the network's variables."""
    optimizer = keras.optimizers.AdamW(
        learning_rates(steps),
        weight_decay=WEIGHT_DECAY,
        clipnorm=CLIP_NORM,
        use_ema=True,
        ema_momentum=1 - 1 / max(2, min(AVERAGED_STEPS, steps // 10)),
    )
    optimizer.build(network.trainable_variables)
    return optimizer


def _training_steps(network: Any, optimizer: Any) -> Any:
    """A compiled function that trains with each batch of a chunk and returns the mean loss."""

    @tf.function(jit_compile=False)  # type: ignore[untyped-decorator]
    def run(windows: Any, targets: Any, weights: Any) -> Any:
        total = 0.0
        for step in tf.range(tf.shape(windows)[0]):
            with tf.GradientTape() as tape:
                loss = pinball(
                    network(windows[step], training=True)["forecast"], targets[step], weights[step]
                )
            variables = network.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
            total += loss
        return total / tf.cast(tf.shape(windows)[0], tf.float32)

    return run


def _batches(size: Size, seed: int, chunk: int, pool: SeriesPool) -> tuple[Any, Any, Any]:
    """Windows, targets and weights of a chunk: (CHUNK, batch, window), (CHUNK, batch, horizon), (CHUNK, batch)."""
    batch = BATCH[size.window]
    rng = np.random.default_rng((seed, 2, chunk))
    gaps = draw_gaps(rng, GAPS, size.window)
    drawn = draw_examples(rng, pool.series, CHUNK * batch, size, gaps)
    return (
        tf.constant(drawn.windows.reshape(CHUNK, batch, size.window)),
        tf.constant(drawn.targets.reshape(CHUNK, batch, size.horizon)),
        tf.constant(drawn.weights.reshape(CHUNK, batch)),
    )


def predict(network: Any, windows: Any, batch: int = 1_024) -> Float32Array:
    """Forecast: (count, window), missing readings coded → (count, horizon, quantiles)."""
    parts = [
        np.asarray(network(windows[at : at + batch], training=False)["forecast"])
        for at in range(0, len(windows), batch)
    ]
    return np.concatenate(parts)


def loss_on(network: Any, examples: Examples) -> float:
    """The pinball loss on given examples."""
    forecast = predict(network, examples.windows)
    return float(pinball(forecast, examples.targets, examples.weights))
