import numpy as np
import pytest

from fncast import models as base_models
from model_service.training.base.forecaster import BaseForecaster

BASE = base_models.FOLDER / base_models.BASE / "1"


def test_scaled_windows_have_no_limits() -> None:
    falling = np.arange(47.0, -1.0, -1.0)[np.newaxis]  # scaled: the last reading, 0, is the lowest
    base = BaseForecaster(BASE)
    assert base.compared(falling, 12).min() == 0
    assert base.compared(falling, 12, is_limited=False)[0, -1, 1] < 0


def test_each_window_goes_to_the_size_that_the_forecast_function_would_choose() -> None:
    values = np.sin(np.arange(300) / 3.0)
    base = BaseForecaster(BASE)
    at = base.at_origins(values, [50, 100, 200], 12)
    for row, first in enumerate((0, 36, 0)):
        origin = (50, 100, 200)[row]
        assert at[row] == pytest.approx(base.compared(values[np.newaxis, first:origin], 12)[0])
    padded = np.full((1, 512), np.nan)
    padded[0, -100:] = values[:100]
    assert base.compared(padded, 12) == pytest.approx(base.compared(values[np.newaxis, 36:100], 12))


def test_a_window_whose_last_readings_are_too_few_goes_to_the_next_size() -> None:
    broken = np.sin(np.arange(100) / 3.0)
    broken[40:80] = np.nan
    base = BaseForecaster(BASE)
    longer = np.full((1, 512), np.nan)
    longer[0, -100:] = broken
    assert base.compared(broken[np.newaxis], 12) == pytest.approx(base.compared(longer, 12))
    assert base.compared(broken[np.newaxis], 12) != pytest.approx(base.compared(broken[np.newaxis, 36:], 12))
