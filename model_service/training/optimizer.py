"""Runs an epoch of gradient descent in one graph, with a running mean of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model_service.training.backend import keras, tf
from model_service.training.dataset import TrainingWindows
from model_service.training.settings import QUANTILES, TrainingSettings

FINAL_RATE = 0.02  # end of the cosine decay, as a share of the learning rate
CLIP_NORM = 1.0
WEIGHT_DECAY = 0.004
# Steps of the running mean of the weights, at most a tenth of all steps. The mean is less noisy and overfits later.
AVERAGED_STEPS = 100


def batches(drawn: TrainingWindows, steps: int, batch: int) -> tuple[Any, Any, Any]:
    """Windows, targets and weights as tensors of shape (steps, batch, …)."""
    shape = (steps, batch, -1)
    return (
        tf.constant(drawn.windows.reshape(shape)),
        tf.constant(drawn.targets.reshape(shape)),
        tf.constant(drawn.weights.reshape((*shape, 1))),
    )


def epoch_runner(
    network: Any, settings: TrainingSettings, steps: int, levels: Sequence[float] = QUANTILES
) -> tuple[Any, Any]:
    """A graph that runs all batches of an epoch and returns the mean loss; and its optimizer with the averaged weights.

    levels: of the quantiles of the forecast. One call per epoch avoids the overhead of a call per batch.
    """
    rate = keras.optimizers.schedules.CosineDecay(
        settings.learning_rate, settings.epochs * steps, alpha=FINAL_RATE
    )
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=WEIGHT_DECAY,
        clipnorm=CLIP_NORM,
        use_ema=True,
        ema_momentum=1 - 1 / max(2, min(AVERAGED_STEPS, settings.epochs * steps // 10)),
    )
    optimizer.build(network.trainable_variables)
    quantiles = tf.constant(levels)

    @tf.function  # type: ignore[untyped-decorator]
    def run(windows: Any, targets: Any, weights: Any) -> Any:
        total = 0.0
        for step in tf.range(tf.shape(windows)[0]):
            with tf.GradientTape() as tape:
                forecast = network(windows[step], training=True)["forecast"]
                difference = targets[step][:, :, tf.newaxis] - forecast
                losses = weights[step] * tf.maximum(quantiles * difference, (quantiles - 1) * difference)
                known = tf.math.is_finite(losses)
                loss = tf.reduce_sum(tf.where(known, losses, 0.0)) / tf.reduce_sum(tf.cast(known, tf.float32))
            variables = network.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
            total += loss
        return total / tf.cast(tf.shape(windows)[0], tf.float32)

    return run, optimizer
