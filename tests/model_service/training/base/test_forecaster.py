import numpy as np

from fncast import models as base_models
from model_service.training.base.forecaster import BaseForecaster

BASE = base_models.FOLDER / base_models.BASE / "1"


def test_scaled_windows_have_no_limits() -> None:
    falling = np.arange(47.0, -1.0, -1.0)[np.newaxis]  # scaled: the last reading, 0, is the lowest
    base = BaseForecaster(BASE)
    assert base.compared(falling, 12).min() == 0
    assert base.compared(falling, 12, is_limited=False)[0, -1, 1] < 0
