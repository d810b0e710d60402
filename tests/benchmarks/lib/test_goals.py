"""The goals of single readings, also where a measurement is missing."""

from __future__ import annotations

import math
from typing import Any

from benchmarks.lib.goals import EVENTS, readings_goals
from benchmarks.readings import figures


def result(**tables: Any) -> dict[str, Any]:
    return {"tables": {name: {"columns": columns, "rows": rows} for name, (columns, rows) in tables.items()}}


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
