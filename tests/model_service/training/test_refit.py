from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from fncast.series.time_series import TimeSeries
from model_service.training import refit as refitting
from model_service.training.backend import keras
from model_service.training.model_folder import WEIGHTS_FILE
from model_service.training.refit import REFIT_RATE, Refit, refit
from model_service.training.settings import TrainingSettings
from model_service.training.trained import Trained
from tests.model_service.training.series_of import series_of

SETTINGS = TrainingSettings(window=6, horizon=2, steps_per_epoch=20, batch=8, learning_rate=0.1)
SERIES = [series_of(np.sin(np.arange(14.0)))]


@pytest.fixture
def trained() -> Trained:
    """A network of one layer whose training used half of the windows and was best after four epochs."""
    windows = keras.Input((6,))
    forecast = keras.layers.Reshape((2, 3))(keras.layers.Dense(6)(windows))
    network = keras.Model(windows, {"forecast": forecast})
    return Trained(network, SETTINGS, best_epoch=4, train_windows=3)


def same(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> bool:
    return all(np.array_equal(layer, other) for layer, other in zip(first, second, strict=True))


def test_a_refit_takes_the_share_of_epochs_that_its_new_windows_have(trained: Trained) -> None:
    before = trained.network.get_weights()
    done = refit(trained, SERIES)
    unused = 1 - trained.train_windows / done.windows
    assert done.epochs == round(4 * unused) >= 1
    assert done.learning_rate == pytest.approx(0.1 * REFIT_RATE)
    assert done.calibration_windows == 0  # one reading is too short, so the band keeps its width
    assert same(done.before, before)
    assert not same(trained.network.get_weights(), before)


def test_an_interrupted_refit_restores_the_weights(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    before = trained.network.get_weights()
    real = refitting.batches
    calls = []

    def interrupt(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(refitting, "batches", interrupt)
    trained.train_windows = 0  # so that there is more than one epoch
    with pytest.raises(KeyboardInterrupt):
        refit(trained, SERIES)
    assert same(trained.network.get_weights(), before)


def test_the_weights_before_the_refit_can_be_written_and_the_network_keeps_those_after_it(
    trained: Trained, tmp_path: Path
) -> None:
    after = trained.network.get_weights()
    before = [layer + 1 for layer in after]
    Refit(1, 1, 1, 0, 0.01, before).save_before(trained, tmp_path)
    assert same(trained.network.get_weights(), after)
    trained.network.load_weights(tmp_path / WEIGHTS_FILE)
    assert same(trained.network.get_weights(), before)


def test_model_json_says_that_the_metrics_are_from_before() -> None:
    assert Refit(2, 20, 7, 3, 0.01, []).as_json() == {
        "epochs": 2,
        "steps_per_epoch": 20,
        "windows": 7,
        "calibration_windows": 3,
        "learning_rate": 0.01,
        "metrics": "before the refit",
    }


def test_a_series_without_windows_is_an_error(trained: Trained) -> None:
    short: list[TimeSeries] = [series_of([1.0, 2.0])]
    with pytest.raises(ValueError, match="no window of 6 readings with 2 to forecast"):
        refit(trained, short)
