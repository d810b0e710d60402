"""Dates and times of day, as people and programs write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fncast.series.csv_file import CsvError
from tests.fncast.series.csv_texts import lines, read, values


def test_a_leap_second_is_the_second_after_it(tmp_path: Path) -> None:
    seconds = ["2016-12-31T23:59:58Z", "2016-12-31T23:59:59Z", "2016-12-31T23:59:60Z", "2017-01-01T00:00:01Z"]
    summary = read(tmp_path, lines("time,value", lambda i: f"{seconds[i]},{i}", 4))
    assert values(summary) == {"file": [0, 1, 2, 3]}
    with pytest.raises(CsvError, match="line 2: '2016-12-31T23:58:60Z' is not a time"):
        read(tmp_path, "time,value\n2016-12-31T23:58:60Z,1\n2016-12-31T23:59:02Z,2\n")


@pytest.mark.parametrize(("dates", "month"), [("day-first", 2), ("month-first", 1)])
def test_the_dates_flag_decides(tmp_path: Path, dates: str, month: int) -> None:
    days = ["01/02/2026", "02/02/2026", "03/02/2026"]
    summary = read(tmp_path, lines("date,value", lambda i: f"{days[i]},{i}", 3), dates=dates)
    assert summary.series[0].start.month == month
