"""Columns that hold parts of times."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fncast.series.csv.file import CsvError
from tests.fncast.series.csv.texts import lines, read, values

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("date,hour,load", lambda i: f"2026-01-{1 + i // 24:02},{i % 24:02},{i}"),
        ("date,x,load", lambda i: f"2026-01-{1 + i // 24:02},{i % 24:02},{i}"),
        ("date,he,load", lambda i: f"2026-01-{1 + i // 24:02},HE{1 + i % 24},{i}"),
        ("date,time,load", lambda i: f"2026-01-{1 + i // 24:02},{i % 24:02}00,{i}"),
        ("date,x,load", lambda i: f"202601{1 + i // 24:02},{i % 24:02}0000,{i}"),
        ("date,x,load", lambda i: f"2026-01-{1 + i // 24:02},T{i % 24:02}:00,{i}"),
        ("year,x,load", lambda i: f"{2020 + i // 12},{MONTHS[i % 12]},{i}"),
        ("year,month,load", lambda i: f"{2020 + i // 12},{1 + i % 12:02},{i}"),
        ("year,x,load", lambda i: f"{2000 + i // 4},Q{1 + i % 4},{i}"),
        ("year,x,load", lambda i: f"{2020 + i // 52},W{1 + i % 52:02},{i}"),
    ],
)
def test_parts_of_a_time_name_no_series(tmp_path: Path, header: str, line: Callable[[int], str]) -> None:
    text = lines(header, line, 96)
    column = header.split(",")[1]
    with pytest.raises(
        CsvError, match=rf"column '{column}' holds parts of times such as .* --series-column {column}"
    ):
        read(tmp_path, text)
    assert len(values(read(tmp_path, text, series_columns=(column,)))) >= 4


def test_daily_readings_of_numbered_pumps_are_series(tmp_path: Path) -> None:
    text = lines("date,pump,load", lambda i: f"2026-01-{1 + i // 3:02},{1 + i % 3:02},{i}", 30)
    assert list(values(read(tmp_path, text))) == ["01", "02", "03"]
