"""Goals of single readings and of the monitor, some of whose measurements are missing."""

from __future__ import annotations

import math
from typing import Any, Literal

import pytest

from benchmarks.lib.goals import EVENTS, Goal, monitor_goals, readings_goals
from benchmarks.lib.spread import Spread
from benchmarks.monitor import contestants, delay, monitor
from benchmarks.readings import figures


def result(**tables: Any) -> dict[str, Any]:
    return {"tables": {name: {"columns": columns, "rows": rows} for name, (columns, rows) in tables.items()}}


@pytest.mark.parametrize(
    ("comparison", "median", "is_met"), [("≥", 2.0, True), ("≥", 1.9, False), ("≤", 2.1, False)]
)
def test_a_goal_is_met_by_the_median(comparison: Literal["≥", "≤"], median: float, is_met: bool) -> None:
    assert Goal("a figure", comparison, 2.0, Spread(0.0, median, 9.0)).is_met is is_met


def test_a_missing_measurement_does_not_meet_its_goal() -> None:
    costs = ["pipeline", "consumer, µs/event", "functions, µs/event", "model service, µs/event"]
    events = result(pipelines=(costs, [[EVENTS, 20, 10, 5]]))
    rows = [[figures.GAP, 0.5]]
    goals = {
        goal.figure: goal for goal in readings_goals(result(figures=(["figure", "measured"], rows)), events)
    }
    assert goals["CPU of a window event in JSON, µs"].measured.median == 35
    assert goals[figures.GAP].is_met
    missing = goals[figures.RESTORE]
    assert math.isnan(missing.measured.median)
    assert not missing.is_met


def test_the_goals_of_the_monitor_are_found_in_its_tables() -> None:
    rates = (["program", "readings/s"], [[contestants.MONITOR, 19_999], [contestants.LONG, 20_000]])
    live = monitor.DelayRuns(delay.RATES[-1]).name
    goals = monitor_goals(result(rates=rates, delays=(["readings", monitor.P99], [[live, 0.5]])))
    assert [goal.is_met for goal in goals] == [True, False, True]
    assert not any(goal.is_met for goal in monitor_goals(result()))
