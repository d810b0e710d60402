"""Readings that are most likely not what the user means."""

from __future__ import annotations

from pathlib import Path

import pytest

from fncast.series.csv.file import CsvError
from tests.fncast.series.csv.texts import HOURS, lines, local, read


@pytest.mark.parametrize("times", [[0, 0, 1, 1, 2, 2], [0, 1, 2, 0, 1, 2], [0, 0, 1, 2, 2, 3]])
def test_two_series_within_an_hour_are_not_an_hour_that_comes_twice(tmp_path: Path, times: list[int]) -> None:
    with pytest.raises(CsvError, match="readings of series 'file' have a repeated time"):
        local(tmp_path, [f"2026-01-01T00:{minute:02}" for minute in times])


@pytest.mark.parametrize("is_falling", [False, True])
def test_an_hour_that_occurs_twice_is_reported(tmp_path: Path, is_falling: bool) -> None:
    times = [f"2025-10-26T{hour:02}:{half}" for hour in (1, 2, 2, 3) for half in ("00", "30")]
    summary = local(tmp_path, times[::-1] if is_falling else times)
    assert summary.repeated == 2
    assert "pass --timezone" in summary.notes[0]


def test_a_number_that_marks_missing_readings_is_reported(tmp_path: Path) -> None:
    summary = read(tmp_path, lines("time,x", lambda i: f"{HOURS[i]},{-999 if i in (3, 4) else i}"))
    assert summary.series[0].values[3] == -999
    assert "'x': -999 occurs 2 times and was read as a number" in summary.problems()[0]


def test_a_column_that_holds_only_such_a_marker_is_reported(tmp_path: Path) -> None:
    summary = read(tmp_path, lines("time,x,y", lambda i: f"{HOURS[i]},{i},-999"))
    [problem] = summary.problems()
    assert "'y': -999 occurs 10 times and was read as a number" in problem


@pytest.mark.parametrize(
    "marker",
    ["999", "9999.9", "9999.99", "99999", "32767", "2147483647", "-32768", "-99", "-99.99", "-9.99E+08"],
)
def test_markers_of_other_programs_are_reported(tmp_path: Path, marker: str) -> None:
    summary = read(tmp_path, lines("time,x", lambda i: f"{HOURS[i]},{marker if i == 3 else i}"))
    [problem] = summary.problems()
    assert "occurs once and was read as a number; if it marks a missing reading" in problem
    near = lines("time,x", lambda i: f"{HOURS[i]},{marker if i == 3 else float(marker) * 0.9}")
    assert not read(tmp_path, near).problems()


@pytest.mark.parametrize("number", ["-9", "99", "99.9", "998", "1999"])
def test_other_numbers_far_from_all_others_are_not_markers(tmp_path: Path, number: str) -> None:
    summary = read(tmp_path, lines("time,x", lambda i: f"{HOURS[i]},{number if i == 3 else i}"))
    assert not summary.problems()
