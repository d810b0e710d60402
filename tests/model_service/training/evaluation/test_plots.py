from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_service.training.evaluation import plots
from model_service.training.evaluation.evaluation import Evaluation, add_model, prepare
from model_service.training.evaluation.plots import save_backtest_plots
from model_service.training.model_folder import find_version, load_scorer
from tests.model_service.training.series_of import series_of


def test_plots_show_the_last_origins_however_far_from_the_end(models: Path, tmp_path: Path) -> None:
    values = np.sin(np.arange(900) * np.pi / 6) + 0.1 * np.random.default_rng(0).normal(size=900)
    values[600:896] = np.nan  # an outage: no window after it can be forecast from
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


def test_a_foreign_name_is_cleaned() -> None:
    evaluation = prepare([series_of(np.arange(200) % 7, "\x1b[2Jpump\n")], 24, 6, test_share=0.3)
    add_model(evaluation, lambda windows: np.zeros((len(windows), 6, 3), np.float32))
    title = plots.forecast_figure(evaluation.series[0]).axes[0].get_title()
    assert title.startswith("Actual vs Forecast, \N{REPLACEMENT CHARACTER}pump ")
