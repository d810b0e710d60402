"""What the page shows of one series, in small exact examples."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from fncast.dashboard.events.fields import UnreadableData
from fncast.dashboard.series.series_view import MAX_IDS, MAX_SHOWN, RESTART_EVENTS, SeriesView


def test_shows_readings_and_the_forecast_after_them(view: SeriesView, make: Any) -> None:
    view.add_window(make.window_event([1, 2, 3]), 0.0)
    view.add_forecast(make.forecast_event([4, 5], 3, low=[3, 3], high=[6, 7]), None)
    shown = view.snapshot()
    assert shown["actual"] == [1, 2, 3]
    assert shown["forecast"] == {
        "start": 3,
        "values": [4, 5],
        "low": [3, 3],
        "high": [6, 7],
        "band": (0.1, 0.9),
    }
    assert shown["times"][4] - shown["times"][0] == 4 * 300
    assert (shown["unit"], shown["model"], shown["score"]) == ("%", "forecast v1", None)


def test_earlier_forecasts_are_those_made_half_a_horizon_before(view: SeriesView, make: Any) -> None:
    view.add_window(make.window_event([0] * 8), 0.0)
    for start in range(2, 8):  # the values encode start and distance: 10 × start + step
        view.add_forecast(make.forecast_event([10 * start + step for step in (1, 2, 3, 4)], start), None)
    shown = view.snapshot()
    assert shown["lead"] == 2
    assert shown["earlier"] == [None, None, 21, 22, 32, 42, 52, 62]


def test_changes_hold_only_what_changed(view: SeriesView, make: Any) -> None:
    view.add_window(make.window_event(list(range(50))), 0.0)
    first = view.take_changes()
    assert first is not None
    assert len(first["actual"]) == 50
    assert view.take_changes() is None
    view.add_window(make.window_event(list(range(1, 51)), 1), 0.0)
    second = view.take_changes()
    assert second is not None
    assert (second["from"], second["actual"]) == (50, [50])
    view.add_forecast(make.forecast_event([1, 2], 51), None)
    third = view.take_changes()
    assert third is not None
    assert (third["actual"], len(third["times"])) == ([], 2)


def test_changes_rebuild_the_snapshot(view: SeriesView, make: Any) -> None:
    """A page that applies all changes shows the same as a page that opens later."""
    shown: dict[int, float | None] = {}
    for n in range(121):
        view.add_window(make.window_event([n + k for k in range(10)], n), float(n))
        view.add_forecast(make.forecast_event([n + 10.5, n + 11.5], n + 10), None)
        if n % 7 == 0 and (part := view.take_changes()):
            shown = {index: value for index, value in shown.items() if part["first"] <= index < part["from"]}
            shown |= {part["from"] + k: value for k, value in enumerate(part["actual"])}
    part = view.take_changes()
    assert part is not None
    shown = {index: value for index, value in shown.items() if part["first"] <= index < part["from"]}
    shown |= {part["from"] + k: value for k, value in enumerate(part["actual"])}
    assert list(shown.values()) == view.snapshot()["actual"]


def test_windows_without_times_are_placed_in_order(view: SeriesView, make: Any) -> None:
    assert view.add_window(make.bare_event([1, 2, 3]), 0.0) == 2
    assert view.add_window(make.bare_event([2, 3, 4]), 0.0) == 3
    shown = view.snapshot()
    assert (shown["actual"], shown["times"], shown["dated"]) == ([1, 2, 3, 4], [0, 1, 2, 3], False)


def test_a_replay_that_starts_again_is_shown(view: SeriesView, make: Any) -> None:
    view.add_window(make.window_event([1, 2, 3], 100), 1.0)
    for n in range(RESTART_EVENTS):
        view.add_window(make.window_event([7, 8, 9], n), 2.0 + n)
    assert view.snapshot()["actual"] == [7, 8, 9]


def test_a_single_late_event_is_not_a_restart(view: SeriesView, make: Any) -> None:
    view.add_window(make.window_event([1, 2, 3], 100), 1.0)
    view.add_window(make.window_event([7, 8, 9], 0), 2.0)
    assert view.snapshot()["actual"][-3:] == [1, 2, 3]


def test_another_step_replaces_the_readings(view: SeriesView, make: Any) -> None:
    view.add_window(make.window_event([1, 2, 3]), 0.0)
    view.add_window(make.window_event([4, 5], step_s=60), 0.0)
    assert view.snapshot()["actual"] == [4, 5]


def test_large_counters_keep_their_last_digits(view: SeriesView, make: Any) -> None:
    view.add_window(make.window_event([10**12 + n for n in range(3)]), 0.0)
    view.add_forecast(make.forecast_event([10**12 + 3], 3), None)
    view.add_window(make.window_event([10**12 + n for n in range(4)]), 0.0)
    assert view.snapshot()["score"]["mae"] == 0.0
    assert view.snapshot()["score"]["naive_mae"] == 1.0


@pytest.mark.parametrize("values", [[1e308], ["1"], [True], "12", None, {}])
def test_a_window_with_invalid_values_is_not_shown(view: SeriesView, make: Any, values: Any) -> None:
    with pytest.raises(UnreadableData):
        view.add_window(make.window_event(values), 0.0)
    assert not view


@pytest.mark.parametrize("values", [[], None, "1", ["1"]])
def test_a_forecast_without_numbers_is_not_shown(view: SeriesView, make: Any, values: Any) -> None:
    with pytest.raises(UnreadableData):
        view.add_forecast(make.forecast_event(values, 0), None)


def test_everything_is_bounded(view: SeriesView, make: Any) -> None:
    sizes = []
    for begin in (0, 2 * MAX_IDS):
        for n in range(begin, begin + 2 * MAX_IDS):
            # Forecasts for a distant future wait for readings that never come.
            view.add_forecast(make.forecast_event([1.0] * 4, 10_000 + n), None)
        view.add_window(make.window_event([1.0] * 5000, 0), 0.0)
        sizes.append(len(pickle.dumps(view)))
    assert sizes[1] < 1.1 * sizes[0]
    assert len(view.snapshot()["actual"]) <= MAX_SHOWN


def test_a_forecast_far_ahead_of_the_readings_is_ignored(view: SeriesView, make: Any) -> None:
    view.add_window(make.window_event([1, 2, 3], 0), None)
    view.add_forecast(make.forecast_event([4], 3), None)
    view.add_forecast(make.forecast_event([5], 10**6), None)
    assert view.snapshot()["forecast"]["values"] == [4]


def test_a_forecast_far_ahead_is_dropped_when_the_first_readings_come(view: SeriesView, make: Any) -> None:
    view.add_forecast(make.forecast_event([5], 10**6), None)
    view.add_window(make.window_event([1, 2, 3], 0), None)
    assert len(view.snapshot()["times"]) == 3
    view.add_forecast(make.forecast_event([4], 3), None)
    assert view.snapshot()["forecast"]["values"] == [4]


def test_without_readings_only_the_latest_forecast_is_shown(view: SeriesView, make: Any) -> None:
    view.add_forecast(make.forecast_event([1, 2], 0), None)
    view.add_forecast(make.forecast_event([3, 4], 5000), None)
    shown = view.snapshot()
    assert (shown["first"], shown["forecast"]["start"], len(shown["times"])) == (5000, 5000, 2)
