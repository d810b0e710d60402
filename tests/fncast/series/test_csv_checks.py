"""Readings that are most likely not what the user means."""

from __future__ import annotations

from pathlib import Path

from tests.fncast.series.csv_texts import HOURS, lines, read


def test_a_number_that_marks_missing_readings_is_reported(tmp_path: Path) -> None:
    summary = read(tmp_path, lines("time,x", lambda i: f"{HOURS[i]},{-999 if i in (3, 4) else i}"))
    assert summary.series[0].values[3] == -999
    assert "'x': -999 occurs 2 times and was read as a number" in summary.problems()[0]


def test_a_column_that_holds_only_such_a_marker_is_reported(tmp_path: Path) -> None:
    summary = read(tmp_path, lines("time,x,y", lambda i: f"{HOURS[i]},{i},-999"))
    [problem] = summary.problems()
    assert "'y': -999 occurs 10 times and was read as a number" in problem
