import numpy as np
import pytest

from model_service.training.evaluation import baselines
from model_service.training.evaluation.backtest import rolling_origins
from tests.model_service.training.series_of import series_of


def test_naive_methods_repeat_the_past() -> None:
    backtest = rolling_origins(series_of(np.arange(60) % 6), window=12, horizon=3, before=48, stride=3)
    assert baselines.last_value(backtest)[0, :, 1].tolist() == [5, 5, 5]
    np.testing.assert_array_equal(baselines.seasonal_naive(backtest, 6)[:, :, 1], backtest.actuals)
    assert baselines.last_readings(backtest)[0, 0] == pytest.approx([0.1, 2.5, 4.9])


def test_seasonal_naive_bridges_gaps_with_earlier_readings_only() -> None:
    values = np.arange(60.0)
    values[45] = np.nan
    backtest = rolling_origins(series_of(values), window=12, horizon=3, before=48, stride=12)
    assert baselines.seasonal_naive(backtest, 6)[0, :, 1].tolist() == [42, 43, 44]
    assert baselines.seasonal_naive(backtest, 3)[0, :, 1].tolist() == [45, 46, 47]
