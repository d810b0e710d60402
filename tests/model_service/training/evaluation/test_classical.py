from typing import Any

import numpy as np
import pytest

pytest.importorskip("statsforecast", reason="classical methods need the extra `evaluation`")

from model_service.training.evaluation import classical
from model_service.training.evaluation.backtest import rolling_origins
from model_service.training.evaluation.classical import MAX_REFIT_READINGS, METHODS, Task, run, tasks
from tests.model_service.training.evaluation.classical_tasks import monthly, two_tasks


def test_each_method_is_a_task_and_mstl_needs_a_season() -> None:
    backtest = rolling_origins(monthly("sales"), window=24, horizon=6, before=100, stride=6)
    assert [task.method for task in tasks([(backtest, (12,))])] == list(METHODS)
    assert "MSTL" not in [task.method for task in tasks([(backtest, ())])]


def test_forecasts_follow_the_season() -> None:
    theta = run(two_tasks()[1])
    assert theta.shape == (3, 6, 3)
    actuals = two_tasks()[1].values[100:106]
    assert np.abs(theta[0, :, 1] - actuals).mean() < 1.0  # a line, or the last value, is off by more
    assert (np.diff(theta, axis=2) >= 0).all()


def test_an_origin_sees_only_earlier_readings() -> None:
    """Bridging a gap that ends at the origin does not depend on later readings."""

    def theta(after: float) -> Any:
        series = monthly("sales")
        series.values[98:101] = np.nan  # the first origin is 100
        series.values[101:] += after
        backtest = rolling_origins(series, window=24, horizon=6, before=100, stride=6)
        (task,) = tasks([(backtest, (12,))], methods=("Theta",))
        return run(task)

    plain, moved = theta(0.0), theta(1000.0)
    np.testing.assert_array_equal(plain[0], moved[0])
    assert np.abs(plain[1] - moved[1]).max() > 100


def test_a_gap_at_the_end_repeats_the_last_reading() -> None:
    task = Task("SES", "s", np.array([np.nan, 1.0, np.nan, 3.0, np.nan, 9.0]), np.array([5]), 5, 1, ())
    assert task.history(5).tolist() == [1, 1, 2, 3, 3]
    assert task.history(6).tolist() == [1, 1, 2, 3, 6, 9]


def test_short_series_are_fitted_at_each_origin_and_long_ones_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    class Model:
        def fit(self, y: Any) -> "Model":
            calls.append("fit")
            return self

        def _answer(self, y: Any, h: int, level: list[int]) -> dict[str, Any]:
            calls.append("forward")
            return {name: np.zeros(h) for name in ("lo-80", "mean", "hi-80")}

        forward = _answer

        def forecast(self, y: Any, h: int, level: list[int]) -> dict[str, Any]:
            calls.append("fit")
            return self._answer(y, h, level)

    monkeypatch.setattr(classical, "model_of", lambda method, seasons: Model())
    origins = np.array([MAX_REFIT_READINGS, MAX_REFIT_READINGS + 5])
    for before, counts in ((MAX_REFIT_READINGS, 2), (MAX_REFIT_READINGS + 1, 1)):
        calls.clear()
        run(Task("SES", "s", np.arange(1000.0), origins, before, 3, ()))
        assert (calls.count("fit"), calls.count("forward")) == (counts, 2)


def test_long_seasons_are_searched_by_approximation_and_short_ones_exactly() -> None:
    assert classical.model_of("AutoARIMA", (24, 168)).approximation
    assert not classical.model_of("AutoARIMA", (12,)).approximation
