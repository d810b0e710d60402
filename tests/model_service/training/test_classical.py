import multiprocessing
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("statsforecast", reason="classical methods need the extra `evaluation`")

from fncast.series.step import Step
from fncast.series.time_series import TimeSeries
from model_service.training import classical
from model_service.training.backtest import rolling_origins
from model_service.training.classical import MAX_REFIT_READINGS, METHODS, Task, forecasts, run, tasks


def monthly(name: str) -> TimeSeries:
    at = np.arange(120)
    values = 10 + 0.1 * at + np.sin(2 * np.pi * at / 12) + 0.05 * np.random.default_rng(0).normal(size=120)
    values[50] = np.nan
    return TimeSeries(name, datetime(2016, 1, 1, tzinfo=UTC), Step.calendar("P1M"), values)


@pytest.fixture
def wanted() -> list[Task]:
    backtest = rolling_origins(monthly("sales"), window=24, horizon=6, before=100, stride=6)
    return tasks([(backtest, (12,))], methods=("SES", "Theta"))


def test_each_method_is_a_task_and_mstl_needs_a_season() -> None:
    backtest = rolling_origins(monthly("sales"), window=24, horizon=6, before=100, stride=6)
    assert [task.method for task in tasks([(backtest, (12,))])] == list(METHODS)
    assert "MSTL" not in [task.method for task in tasks([(backtest, ())])]


def test_forecasts_follow_the_season(wanted: list[Task]) -> None:
    theta = run(wanted[1])
    assert theta.shape == (3, 6, 3)
    actuals = wanted[1].values[100:106]
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


def test_results_are_cached_for_the_next_run(wanted: list[Task], tmp_path: Path) -> None:
    lines: list[tuple[int, int]] = []

    def collect() -> dict[str, object]:
        return {
            task.method: result
            for task, result in forecasts(wanted, tmp_path, 1, lambda *at: lines.append(at))
        }

    first = collect()
    assert lines[0] == (0, 6)  # two methods at three origins
    assert lines[-1] == (6, 6)
    assert lines == sorted(lines)
    assert len(lines) > 3, "no progress while a worker starts and fits"
    lines.clear()
    again = collect()
    assert lines == [(6, 6)]
    for method, result in first.items():
        np.testing.assert_array_equal(result, again[method])


def test_progress_is_by_origin(wanted: list[Task], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow method reports progress before it is done."""
    monkeypatch.setattr(classical, "PROGRESS_S", 0.01)
    seen: list[int] = []
    slow = replace(wanted[0], method="AutoARIMA")  # half a second an origin
    list(forecasts([slow], tmp_path, 1, lambda done, of: seen.append(done)))
    assert set(seen) == {0, 1, 2, 3}


def test_a_failing_method_is_reported_and_its_origins_count_as_done(
    wanted: list[Task], tmp_path: Path
) -> None:
    lines: list[tuple[int, int]] = []
    spoiled = replace(wanted[0], values=np.full(120, np.nan))
    results = {
        task.method: result
        for task, result in forecasts([spoiled, wanted[1]], tmp_path, 1, lambda *at: lines.append(at))
    }
    assert results["SES"] == "ValueError: every reading is missing"
    assert isinstance(results["Theta"], np.ndarray)
    assert lines[-1] == (6, 6)
    assert max(done for done, _ in lines) == 6


def test_stopping_does_not_wait_for_running_fits(wanted: list[Task], tmp_path: Path) -> None:
    before = set(multiprocessing.active_children())

    def interrupt(done: int, of: int) -> None:
        if multiprocessing.active_children():
            raise KeyboardInterrupt

    slow = replace(wanted[0], method="AutoARIMA")
    with pytest.raises(KeyboardInterrupt):
        list(forecasts([slow], tmp_path, 1, interrupt))
    # A dead child counts as active for the moment in which the pool's own thread reaps it.
    deadline_s = time.monotonic() + 1
    while set(multiprocessing.active_children()) - before:
        assert time.monotonic() < deadline_s
