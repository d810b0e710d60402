from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.training.backend import keras, seed_everything
from model_service.training.dataset import TrainingWindows
from model_service.training.optimizer import batches, epoch_runner
from model_service.training.settings import TrainingSettings

SETTINGS = TrainingSettings(window=4, horizon=2, epochs=50, learning_rate=0.05, batch=8)
STEPS = 10


def drawn() -> TrainingWindows:
    """Windows whose targets are 3, with some missing, and one window without any weight."""
    count = STEPS * SETTINGS.batch
    targets = np.full((count, 2), 3.0, np.float32)
    targets[::3, 1] = np.nan
    weights = np.ones(count, np.float32)
    targets[0], weights[0] = 1e6, 0.0
    return TrainingWindows(np.ones((count, 4), np.float32), targets, weights)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """Forecasts three quantiles of two steps, the same for all windows at first."""
    windows = keras.Input((4,))
    forecast = keras.layers.Reshape((2, 3))(keras.layers.Dense(6)(windows))
    return keras.Model(windows, {"forecast": forecast})


def test_windows_are_cut_into_batches_in_order() -> None:
    windows = TrainingWindows(
        np.arange(24, dtype=np.float32).reshape(6, 4), np.zeros((6, 2), np.float32), np.ones(6, np.float32)
    )
    cut, targets, weights = batches(windows, 3, 2)
    assert (cut.shape, targets.shape, weights.shape) == ((3, 2, 4), (3, 2, 2), (3, 2, 1, 1))
    assert cut.numpy()[1].tolist() == windows.windows[2:4].tolist()


def test_epochs_lower_the_loss_of_known_targets_only(network: keras.Model) -> None:
    seed_everything(0)
    run, optimizer = epoch_runner(network, SETTINGS, STEPS)
    parts = batches(drawn(), STEPS, SETTINGS.batch)
    first = float(run(*parts))
    for _ in range(30):
        last = float(run(*parts))
    assert np.isfinite(first)
    assert last < 0.2 * first
    optimizer.finalize_variable_values(network.trainable_variables)
    forecast = network(np.ones((1, 4), np.float32))["forecast"].numpy()
    np.testing.assert_allclose(forecast, 3.0, atol=0.5)


def test_the_mean_of_the_weights_is_shorter_than_a_short_training(network: keras.Model) -> None:
    _, short = epoch_runner(network, replace(SETTINGS, epochs=1), STEPS)
    _, long = epoch_runner(network, replace(SETTINGS, epochs=10_000), STEPS)
    assert short.ema_momentum == 0.5
    assert long.ema_momentum == pytest.approx(0.99)
