import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from fncast import models as base_models
from fncast.series.window import MISSING
from model_service.training.base import fine_tune as fine_tuning
from model_service.training.base.fine_tune import drawing, fitting_size, load_base, padded, tuning_settings
from model_service.training.base.folder import weights_file
from model_service.training.base.shape import LONG, QUANTILES, SHORT, Size
from model_service.training.base.user_examples import UserExamples
from model_service.training.settings import TrainingSettings
from model_service.training.trained import predict

BASE = base_models.FOLDER / base_models.BASE / "1"


@pytest.mark.parametrize(
    ("window", "horizon", "size"),
    [
        (48, 12, SHORT),
        (64, 24, SHORT),
        (127, 24, SHORT),  # only its last readings are used
        (128, 24, LONG),
        (65, 25, LONG),
        (48, 25, LONG),
        (1000, 96, LONG),  # only its last readings are used
        (48, 97, None),
        (7, 1, None),
    ],
)
def test_the_size_that_forecasts_in_service_is_tuned(window: int, horizon: int, size: Size | None) -> None:
    assert fitting_size(TrainingSettings(window=window, horizon=horizon)) == size


def test_windows_are_cut_or_padded_in_front_to_the_size() -> None:
    windows = np.float32([[1, 2, 3], [4, 5, 6]])
    assert padded(windows, 2).tolist() == [[2, 3], [5, 6]]
    assert padded(windows, 5)[1].tolist() == [np.float32(MISSING)] * 2 + [4, 5, 6]


def test_a_fine_tuning_is_shorter_than_a_training_unless_the_user_wants_less() -> None:
    long = tuning_settings(TrainingSettings(epochs=1000, steps_per_epoch=1000, batch=4096, patience=50), LONG)
    assert (long.epochs, long.steps_per_epoch, long.batch, long.patience) == (12, 50, 128, 3)
    short = tuning_settings(TrainingSettings(epochs=1, steps_per_epoch=5, batch=16, patience=1), LONG)
    assert (short.epochs, short.steps_per_epoch, short.batch, short.patience) == (1, 5, 16, 1)


def test_the_tuned_network_forecasts_the_first_steps_of_the_base_model() -> None:
    base, network = load_base(SHORT, 6, BASE / weights_file(SHORT))
    windows = np.sin(np.arange(2 * SHORT.window, dtype=np.float32)).reshape(2, -1)
    forecast = predict(network, windows)
    assert forecast.shape == (2, 6, len(QUANTILES))
    np.testing.assert_array_equal(forecast, predict(base, windows)[:, :6])


def test_a_quarter_of_the_drawn_windows_is_generated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fine_tuning, "GENERATED_SERIES", 20)
    settings = TrainingSettings(window=24, horizon=6)
    # A falling line has its last reading as its lowest, in every window; generated ones hardly ever look so.
    users = UserExamples([np.arange(300.0)[::-1].copy()], SHORT, settings.window, settings.horizon)
    drawn = drawing(users, SHORT, settings)(np.random.default_rng(0), 400, 1)
    assert drawn.windows.shape == (400, SHORT.window)
    assert drawn.targets.shape == (400, settings.horizon)
    known = np.where(drawn.windows == np.float32(MISSING), np.inf, drawn.windows)
    is_falling = (drawn.targets < 0).all(axis=1) & (known.min(axis=1) >= -1e-4)
    assert 280 <= is_falling.sum() <= 340
    assert not is_falling[:100].all()  # mixed, so that a batch holds both
