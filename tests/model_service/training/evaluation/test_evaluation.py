from pathlib import Path

import numpy as np
import pytest

from model_service.training.evaluation.backtest import rolling_origins
from model_service.training.evaluation.evaluation import (
    LAST_READINGS,
    LAST_VALUE,
    LONGEST_SEASONAL,
    MODEL,
    SEASONAL,
    add_model,
    model_forecast,
    prepare,
)
from model_service.training.evaluation.metrics import seasonal_difference
from model_service.training.evaluation.plots import save_backtest_plots, save_training_plot
from model_service.training.evaluation.report import overall_table
from model_service.training.model_folder import find_version, load_scorer
from model_service.training.trained import Trained
from tests.model_service.training.series_of import series_of


@pytest.mark.parametrize(("lowest_reading", "lowest"), [(0, 0), (-1, -101)])
def test_a_forecast_is_not_negative_if_no_reading_was(lowest_reading: int, lowest: int) -> None:
    values = np.arange(60) % 4 + lowest_reading
    backtest = rolling_origins(series_of(values), window=12, horizon=4, before=49, stride=4)
    falling = model_forecast(lambda windows: np.full((len(windows), 4, 3), -100, np.float32), backtest)
    assert falling.min() == lowest


@pytest.mark.parametrize(("highest_reading", "highest"), [(100, 100), (99, 199)])
def test_a_forecast_is_not_above_100_percent_if_no_reading_was(highest_reading: int, highest: int) -> None:
    values = highest_reading - np.arange(60) % 4
    backtest = rolling_origins(series_of(values), window=12, horizon=4, before=48, stride=4)
    rising = model_forecast(lambda windows: np.full((len(windows), 4, 3), 103, np.float32), backtest)
    assert rising.max() == highest


def test_the_longest_season_is_a_separate_naive_method() -> None:
    at = np.arange(600)
    weekly = series_of((at % 4) + 10.0 * (at // 4 % 7 >= 5), "weekly")  # a day of 4, a week of 28
    daily = series_of((at % 4).astype(float) + np.random.default_rng(0).normal(size=600), "daily")
    both = prepare([weekly, daily], 56, 8, test_share=0.3, seasons=(28, 4))
    assert both.methods == [LAST_VALUE, SEASONAL, LONGEST_SEASONAL, LAST_READINGS]
    exact = both.series[0]
    assert (exact.season, exact.longest_season) == (4, 28)
    assert exact.scores[LONGEST_SEASONAL].mae == 0.0
    assert exact.scores[SEASONAL].mae > 1
    # MASE's divisor stays that of the shortest season.
    difference = seasonal_difference(weekly.values[: exact.backtest.before], 4)
    assert exact.scores[SEASONAL].mase == pytest.approx(exact.scores[SEASONAL].mae / difference)
    assert LONGEST_SEASONAL not in prepare([weekly, daily], 56, 8, test_share=0.3, seasons=(4,)).methods


def test_a_counter_far_from_zero_is_forecast_as_well(trained: Trained, models: Path) -> None:
    model = load_scorer(find_version(models, "forecast"), 24, 6)
    small = np.cumsum(1 + np.random.default_rng(0).poisson(3, size=100))
    near = rolling_origins(series_of(small), 24, 6, 70, 6)
    far = rolling_origins(series_of(small + 1e12), 24, 6, 70, 6)
    np.testing.assert_allclose(model_forecast(model, far) - 1e12, model_forecast(model, near), atol=1e-3)


def test_the_model_is_compared_with_the_naive_methods(trained: Trained, models: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    daily = [
        series_of(np.sin(np.arange(300) * np.pi / 6) + 0.1 * rng.normal(size=300), f"s{i}") for i in range(3)
    ]
    evaluation = prepare([*daily, series_of(range(20), "short")], 24, 6, test_share=0.3)
    add_model(evaluation, load_scorer(find_version(models, "forecast"), 24, 6))
    assert evaluation.methods == [MODEL, LAST_VALUE, SEASONAL, LAST_READINGS]
    assert evaluation.origins == 3 * 15
    assert list(evaluation.left_out) == ["short"]
    assert {series.season for series in evaluation.series} == {12}
    relative = evaluation.overall(MODEL)["relative_mae"]
    assert relative is not None
    assert relative < 0.7
    assert MODEL in overall_table(evaluation)
    save_training_plot(trained.history, tmp_path)
    save_backtest_plots(evaluation, tmp_path)
    names = {"training", "forecast", "horizon", "calibration"}
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{n}.{kind}" for n in names for kind in ("png", "svg")
    }
