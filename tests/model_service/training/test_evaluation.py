from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fncast.series.series import Series
from fncast.series.step import Step
from model_service.training import baselines, plots
from model_service.training.backtest import rolling_origins
from model_service.training.evaluation import (
    LAST_READINGS,
    LAST_VALUE,
    LONGEST_SEASONAL,
    MODEL,
    SEASONAL,
    Evaluation,
    add_model,
    model_forecast,
    prepare,
)
from model_service.training.metrics import geometric_mean, scores, seasonal_difference
from model_service.training.model_folder import find_version, load_scorer
from model_service.training.plots import save_backtest_plots, save_training_plot
from model_service.training.report import MAX_SERIES_LINES, overall_table, series_table, series_tables, table
from model_service.training.trained import Trained


def series_of(values: Any, name: str = "shop") -> Series:
    array = np.asarray(values, dtype=np.float64)
    return Series(name, datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(300.0), array)


def test_origins_roll_over_the_test_part() -> None:
    backtest = rolling_origins(series_of(range(100)), window=10, horizon=4, before=70, stride=4)
    assert backtest.at.tolist() == [70, 74, 78, 82, 86, 90, 94]
    assert backtest.windows[0].tolist() == list(range(60, 70))
    assert backtest.actuals[-1].tolist() == [94, 95, 96, 97]


def test_origins_with_too_many_gaps_are_left_out() -> None:
    values = np.arange(100.0)
    values[62:69] = np.nan
    values[80] = np.nan
    backtest = rolling_origins(series_of(values), window=10, horizon=4, before=70, stride=4)
    assert backtest.left_out == 1
    assert backtest.at[0] == 74
    assert backtest.windows[2].tolist() == [72, 73, 74, 75, 76, 77, 78, 79, 80, 81]  # bridged, as for events


@pytest.mark.parametrize(("lowest_reading", "lowest"), [(0, 0), (-1, -101)])
def test_a_forecast_is_not_negative_if_no_reading_was(lowest_reading: int, lowest: int) -> None:
    values = np.arange(60) % 4 + lowest_reading
    backtest = rolling_origins(series_of(values), window=12, horizon=4, before=49, stride=4)
    falling = model_forecast(lambda windows: np.full((len(windows), 4, 3), -100, np.float32), backtest)
    assert falling.min() == lowest


def test_naive_methods() -> None:
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


def test_scores_by_hand() -> None:
    actuals = np.array([[1.0, 2.0], [3.0, np.nan]])
    forecast = np.stack([actuals - 1, actuals + 1, actuals + 2], axis=2)
    forecast[0, 0] = [2.0, 2.0, 2.0]  # above the reading: outside the band
    result = scores(np.nan_to_num(forecast), actuals, naive_mae=2.0, seasonal_difference=0.5)
    assert (result.mae, result.relative_mae, result.mase) == (1.0, 0.5, 2.0)
    assert result.coverage == pytest.approx(2 / 3)
    losses = [0.9, 0.5, 0.1, *(0.1, 0.5, 0.2) * 2]
    assert result.wql == pytest.approx(2 * np.mean(losses) / 2.0)
    assert scores(np.nan_to_num(forecast), actuals, 0.0, float("nan")).relative_mae is None


def test_means() -> None:
    assert geometric_mean([0.5, 2.0, None, 0.0]) == pytest.approx(1.0)
    assert geometric_mean([]) is None
    assert seasonal_difference(np.array([1.0, 5.0, 2.0, np.nan, 4.0]), 2) == pytest.approx(1.5)
    assert np.isnan(seasonal_difference(np.array([1.0]), 2))


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
    assert {one.season for one in evaluation.series} == {12}
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


def test_plots_show_the_last_origins_however_far_from_the_end(models: Path, tmp_path: Path) -> None:
    values = np.sin(np.arange(900) * np.pi / 6) + 0.1 * np.random.default_rng(0).normal(size=900)
    values[600:896] = np.nan  # an outage, behind which no window can be forecast from
    evaluation = prepare([series_of(values)], 24, 6, test_share=0.5)
    add_model(evaluation, load_scorer(find_version(models, "forecast"), 24, 6))
    assert evaluation.series[0].backtest.at[-1] < 600
    save_backtest_plots(evaluation, tmp_path)
    assert (tmp_path / "forecast.png").stat().st_size > 0


@pytest.fixture
def of_a_week() -> Evaluation:
    """Of a series with a day and a week, which has the most methods; its model repeats the last reading."""
    week = series_of(np.sin(2 * np.pi * np.arange(1200) / 168), "US$ x_1_2 $")
    evaluation = prepare([week], 24, 6, test_share=0.3, seasons=(24, 168))
    add_model(evaluation, lambda windows: np.zeros((len(windows), 6, 3), np.float32))
    return evaluation


def test_a_name_with_dollar_signs_is_not_a_formula(of_a_week: Evaluation, tmp_path: Path) -> None:
    save_backtest_plots(of_a_week, tmp_path)
    assert (tmp_path / "forecast.svg").stat().st_size > 0


def test_the_names_of_all_curves_are_within_the_plot(of_a_week: Evaluation) -> None:
    figure = plots.error_by_step(of_a_week)
    figure.canvas.draw()
    [legend] = figure.legends
    assert len(legend.get_texts()) == 5
    assert is_within(legend, figure)


def is_within(artist: Any, figure: Any) -> bool:
    box = artist.get_window_extent()
    return bool(box.x0 >= 0 and box.x1 <= figure.bbox.x1)


def test_a_long_name_stays_within_the_plot() -> None:
    evaluation = prepare([series_of(np.arange(200) % 7, 100 * "n")], 24, 6, test_share=0.3)
    add_model(evaluation, lambda windows: np.zeros((len(windows), 6, 3), np.float32))
    figure = plots.forecast_figure(evaluation.series[0])
    figure.canvas.draw()
    assert is_within(figure.axes[0].title, figure)


def test_table_aligns() -> None:
    assert table(["", "b"], [["long", "1"], ["x", "22"]]) == "       b\nlong   1\nx     22"


def test_a_diverging_method_does_not_widen_its_column() -> None:
    evaluation = prepare([series_of(np.arange(60) % 6)], 12, 3, test_share=0.3)
    evaluation.series[0].add("astray", np.full((*evaluation.series[0].backtest.actuals.shape, 3), 1e60))
    assert "e+59" in overall_table(evaluation)
    assert max(map(len, overall_table(evaluation).splitlines())) < 80


def test_the_best_other_method_is_marked_in_each_error_column() -> None:
    noise = np.random.default_rng(0).normal(scale=0.1, size=200)
    evaluation = prepare([series_of(np.arange(200) % 6 + noise)], 12, 3, test_share=0.3, seasons=(6,))
    add_model(evaluation, lambda windows: np.zeros((len(windows), 3, 3), np.float32))
    stars = {line[:24].strip(): line[24:].count("*") for line in overall_table(evaluation).splitlines()}
    assert stars.pop(SEASONAL) == 3
    assert not any(stars.values())
    assert series_table(evaluation, "mase").count("*") == 1
    assert "*" not in series_table(evaluation, "coverage")


def test_series_without_a_line_are_counted() -> None:
    many = [series_of(np.arange(100) % 6, f"shop-{i}") for i in range(MAX_SERIES_LINES + 2)]
    text = series_tables(prepare(many, 12, 3, test_share=0.3, seasons=(6,)))
    assert f"shop-{MAX_SERIES_LINES - 1} " in text
    assert f"shop-{MAX_SERIES_LINES} " not in text
    assert text.endswith("… and 2 more series; --json lists all")


def test_a_method_that_failed_on_a_series_is_named() -> None:
    evaluation = prepare([series_of(np.arange(100) % 6, name) for name in "ab"], 12, 3, test_share=0.3)
    evaluation.series[0].add("Theta", evaluation.series[0].forecasts[LAST_VALUE])
    assert "Theta" not in evaluation.methods
    assert evaluation.incomplete == evaluation.as_json()["incomplete"] == {"Theta": ["b"]}
