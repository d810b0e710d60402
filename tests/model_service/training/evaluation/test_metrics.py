import numpy as np
import pytest

from model_service.training.evaluation.metrics import geometric_mean, scores, seasonal_difference


def test_scores_equal_those_computed_by_hand() -> None:
    actuals = np.array([[1.0, 2.0], [3.0, np.nan]])
    forecast = np.stack([actuals - 1, actuals + 1, actuals + 2], axis=2)
    forecast[0, 0] = [2.0, 2.0, 2.0]  # above the reading: outside the band
    result = scores(np.nan_to_num(forecast), actuals, naive_mae=2.0, seasonal_difference=0.5)
    assert (result.mae, result.relative_mae, result.mase) == (1.0, 0.5, 2.0)
    assert result.coverage == pytest.approx(2 / 3)
    losses = [0.9, 0.5, 0.1, *(0.1, 0.5, 0.2) * 2]
    assert result.wql == pytest.approx(2 * np.mean(losses) / 2.0)
    assert scores(np.nan_to_num(forecast), actuals, 0.0, float("nan")).relative_mae is None


def test_means_ignore_missing_values() -> None:
    assert geometric_mean([0.5, 2.0, None, 0.0]) == pytest.approx(1.0)
    assert geometric_mean([]) is None
    assert seasonal_difference(np.array([1.0, 5.0, 2.0, np.nan, 4.0]), 2) == pytest.approx(1.5)
    assert np.isnan(seasonal_difference(np.array([1.0]), 2))
