"""The table of how good forecasts are."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from fncast.dashboard.events.event import ReceivedEvent
from fncast.dashboard.events.fields import UnreadableData
from fncast.dashboard.figures.accuracy_table import ACCURACY_TYPE, MAX_ROWS, SEND_S, SHOWN_ROWS, AccuracyTable


def event(series: str, skill: float | None, version: str = "3", **data: Any) -> ReceivedEvent:
    attributes = {"id": "1", "source": "s", "type": ACCURACY_TYPE, "subject": series, "modelname": "forecast"}
    day = {"mae": 2.0, "skill": skill, "coverage": 0.8, "seasonal_skill": None}
    return ReceivedEvent(attributes | {"modelversion": version}, {"readings": 120, "day": day, **data})


def test_the_worst_series_is_first_and_a_constant_one_last() -> None:
    table = AccuracyTable()
    for series, skill in (("good", 0.4), ("constant", None), ("bad", -0.3), ("fair", 0.1)):
        table.add(event(series, skill))
    rows = table.snapshot()["rows"]
    assert [row["series"] for row in rows] == ["bad", "fair", "good", "constant"]
    assert rows[0] == {
        "series": "bad",
        "model": "forecast v3",
        "steps": 120.0,
        "mae": 2.0,
        "skill": -0.3,
        "seasonal_skill": None,
        "coverage": 0.8,
    }


def test_a_newer_report_replaces_the_row_and_versions_are_apart() -> None:
    table = AccuracyTable()
    for skill, version in ((0.1, "3"), (0.2, "3"), (0.3, "4")):
        table.add(event("cpu", skill, version))
    assert [row["skill"] for row in table.snapshot()["rows"]] == [0.2, 0.3]


def test_rows_are_bounded() -> None:
    table = AccuracyTable()
    for number in range(MAX_ROWS + 10):
        table.add(event(f"s{number}", number / MAX_ROWS))
    found = table.snapshot()
    assert (len(found["rows"]), found["left_out"]) == (SHOWN_ROWS, MAX_ROWS - SHOWN_ROWS)
    assert found["rows"][0]["series"] == "s10"


def test_changes_are_sent_at_most_once_a_second() -> None:
    table = AccuracyTable()
    table.add(event("cpu", 0.1))
    assert table.take_changes(100.0) is not None
    table.add(event("cpu", 0.2))
    assert table.take_changes(100.0 + SEND_S / 2) is None
    changes = table.take_changes(100.0 + SEND_S)
    assert changes is not None
    assert changes["rows"][0]["skill"] == 0.2
    assert table.take_changes(200.0) is None
    table.add(event("cpu", 0.3))
    assert table.take_changes(50.0) is not None  # the clock was set back


@pytest.mark.parametrize("data", [None, [1], {"readings": 1}, {"day": 3}])
def test_data_without_figures_is_unreadable(data: Any) -> None:
    with pytest.raises(UnreadableData, match="no figures"):
        AccuracyTable().add(ReceivedEvent({"id": "1", "source": "s", "type": ACCURACY_TYPE}, data))


def test_figures_that_are_not_numbers_are_missing() -> None:
    table = AccuracyTable()
    table.add(event("cpu", float("nan"), readings="many"))
    (row,) = table.snapshot()["rows"]
    assert (row["skill"], row["steps"]) == (None, None)
    orjson.dumps(row)
