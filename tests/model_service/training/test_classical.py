from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("statsforecast", reason="classical methods need the extra `evaluation`")

from model_service.training.backtest import rolling_origins
from model_service.training.classical import METHODS, Task, forecasts, run, tasks
from series.series import Series
from series.step import Step


def monthly(name: str) -> Series:
    at = np.arange(120)
    values = 10 + 0.1 * at + np.sin(2 * np.pi * at / 12) + 0.05 * np.random.default_rng(0).normal(size=120)
    values[50] = np.nan
    return Series(name, datetime(2016, 1, 1, tzinfo=UTC), Step.calendar("P1M"), values)


@pytest.fixture
def wanted() -> list[Task]:
    backtest = rolling_origins(monthly("sales"), window=24, horizon=6, before=100, stride=6)
    return tasks([(backtest, (12,))], methods=("SES", "Theta"))


def test_one_task_a_method_and_mstl_only_where_there_is_a_season() -> None:
    backtest = rolling_origins(monthly("sales"), window=24, horizon=6, before=100, stride=6)
    assert [task.method for task in tasks([(backtest, (12,))])] == list(METHODS)
    assert "MSTL" not in [task.method for task in tasks([(backtest, ())])]


def test_forecasts_follow_the_season(wanted: list[Task]) -> None:
    theta = run(wanted[1])
    assert theta.shape == (3, 6, 3)
    actuals = wanted[1].values[100:106]
    assert np.abs(theta[0, :, 1] - actuals).mean() < 1.0  # a line, or the last value, is off by more
    assert (np.diff(theta, axis=2) >= 0).all()


def test_results_are_kept_for_the_next_run(wanted: list[Task], tmp_path: Path) -> None:
    lines: list[tuple[int, int]] = []

    def collect() -> dict[str, object]:
        return {
            task.method: result
            for task, result in forecasts(wanted, tmp_path, 1, lambda *at: lines.append(at))
        }

    first = collect()
    assert lines[0] == (0, 2)
    lines.clear()
    again = collect()
    assert lines == [(2, 2)]
    for method, result in first.items():
        np.testing.assert_array_equal(result, again[method])
