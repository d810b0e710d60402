"""The error of a series' forecasts."""

from __future__ import annotations

from typing import Any

import pytest

from fncast.dashboard.series.score import SCORED_READINGS
from fncast.dashboard.series.series_view import SeriesView


def test_the_error_is_compared_with_the_naive_forecast_at_the_same_points(
    view: SeriesView, make: Any
) -> None:
    view.add_window(make.window_event([9, 10]), 0.0)
    view.add_forecast(make.forecast_event([12, 13], 2, low=[11, 14], high=[13, 15]), None)
    view.add_window(make.window_event([9, 10, 12, 16]), 0.0)
    # Our errors are 0 and 3, those of the naive forecast (10) 2 and 6. 12 is in [11, 13], 16 is not in [14, 15].
    assert view.snapshot()["score"] == {
        "readings": 2,
        "points": 2,
        "mae": 1.5,
        "naive_mae": 4.0,
        "ratio": 3 / 8,
        "inside": 0.5,
    }


def test_the_error_does_not_depend_on_the_reading_order(view: SeriesView, make: Any) -> None:
    view.add_forecast(make.forecast_event([12, 13], 2, low=[11, 14], high=[13, 15]), None)
    view.add_window(make.window_event([9, 10, 12, 16]), 0.0)
    assert view.snapshot()["score"]["ratio"] == 3 / 8


def test_missing_readings_do_not_count(view: SeriesView, make: Any) -> None:
    view.add_forecast(make.forecast_event([12, 13, 14], 2), None)
    view.add_window(make.window_event([10, None, 11, None, 15]), 0.0)
    # The naive forecast is the last known reading, 10.
    assert view.snapshot()["score"] == {
        "readings": 2,
        "points": 2,
        "mae": 1.0,
        "naive_mae": 3.0,
        "ratio": 1 / 3,
        "inside": None,
    }


def test_a_constant_series_has_no_ratio(view: SeriesView, make: Any) -> None:
    view.add_forecast(make.forecast_event([5], 2), None)
    view.add_window(make.window_event([5, 5, 5]), 0.0)
    assert view.snapshot()["score"]["ratio"] is None


def test_a_forecast_delivered_twice_counts_once(view: SeriesView, make: Any) -> None:
    for _ in range(2):
        view.add_forecast(make.forecast_event([12], 2, event_id="same"), None)
    view.add_window(make.window_event([9, 10, 12]), 0.0)
    assert view.snapshot()["score"]["points"] == 1


def test_the_error_covers_only_the_last_readings(view: SeriesView, make: Any) -> None:
    """A function that gets worse shows within SCORED_READINGS, even if it was good for long."""

    def step(at: int, factor: float) -> None:
        view.add_window(make.window_event([float(at % 5), float((at + 1) % 5)], at), float(at))
        view.add_forecast(make.forecast_event([factor * ((at + 2) % 5)], at + 2), None)

    for at in range(1000):
        step(at, 1.0)
    assert view.snapshot()["score"]["ratio"] == 0.0
    for at in range(1000, 1000 + SCORED_READINGS + 2):
        step(at, 3.0)
    score = view.snapshot()["score"]
    assert score["readings"] == SCORED_READINGS
    assert score["ratio"] == pytest.approx(4.0 / 1.6)  # 2 x the mean of 0..4, over the mean step


def test_readings_without_forecasts_replace_the_error(view: SeriesView, make: Any) -> None:
    view.add_window(make.window_event([9, 10, 20]), 0.0)
    view.add_forecast(make.forecast_event([19], 2), None)
    assert view.snapshot()["score"] is not None
    view.add_window(make.window_event([1] * SCORED_READINGS, 3), 1.0)
    assert view.snapshot()["score"] is None


def test_two_alternating_models_have_separate_errors(view: SeriesView, make: Any) -> None:
    for at in range(20):
        view.add_window(make.window_event([at, at + 1], at), float(at))
        view.add_forecast(make.forecast_event([at + 2 + at % 2], at + 2, model=str(1 + at % 2)), None)
    # The latest, version 2, is always 1 too high; the first is exact.
    assert view.snapshot()["model"] == "forecast v2"
    assert view.snapshot()["score"]["mae"] == 1.0


def test_a_new_model_version_has_its_own_error(view: SeriesView, make: Any) -> None:
    view.add_window(make.window_event([9, 10, 20]), 0.0)
    view.add_forecast(make.forecast_event([50], 2), None)
    view.add_forecast(make.forecast_event([19], 2, model="2"), None)
    assert view.snapshot()["model"] == "forecast v2"
    assert view.snapshot()["score"]["mae"] == 1.0
