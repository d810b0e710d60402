"""The role of each column."""

from __future__ import annotations

from pathlib import Path

import pytest

from fncast.series.csv.file import CsvError
from tests.fncast.series.csv.texts import HOURS, lines, read, values


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("unavailable", "it holds no reading"), ("", "it is empty"), ("open", "it holds text, 'open' only")],
)
def test_a_column_without_numbers_is_reported(tmp_path: Path, cell: str, reason: str) -> None:
    summary = read(tmp_path, lines("time,a,b", lambda i: f"{HOURS[i]},{cell},{i}"))
    assert list(values(summary)) == ["b"]
    assert summary.skipped == {"column 'a'": reason}
    assert f"  not read: column 'a': {reason}" in summary.lines()
    assert "column 'a' not read" in summary.problems()


@pytest.mark.parametrize("header", ["Date,Hour,Value", "year,month,value"])
def test_several_time_columns_are_an_error(tmp_path: Path, header: str) -> None:
    first = "2026-01-01" if header.startswith("Date") else "2026"
    with pytest.raises(CsvError, match=r"9 of 10 readings .* or write date and time of day into one column"):
        read(tmp_path, lines(header, lambda i: f"{first},{i},{i}"))


@pytest.mark.parametrize("name", ["Unnamed: 0.1", "Unnamed: 0_level_0", ""])
def test_an_index_of_pandas_holds_no_readings(tmp_path: Path, name: str) -> None:
    summary = read(tmp_path, lines(f"{name},time,v,w", lambda i: f"{i},{HOURS[i]},{i},{i}"))
    assert list(values(summary)) == ["v", "w"]
    assert summary.skipped == {"column 1": "it has no name"}


def test_each_of_two_columns_of_the_same_name_is_reported(tmp_path: Path) -> None:
    summary = read(tmp_path, lines("time,v,note,note", lambda i: f"{HOURS[i]},{i},a,b"))
    assert summary.skipped == {
        "column 'note'": "it holds text, 'a' only",
        "column 4 ('note')": "it holds text, 'b' only",
    }


@pytest.mark.parametrize("cell", ["²", "9" * 5000])
def test_digits_of_other_kinds_do_not_stop_the_reading(tmp_path: Path, cell: str) -> None:
    text = lines("time,no,v", lambda i: f"{HOURS[i]},{cell if i == 5 else i},{i}")
    with pytest.raises(CsvError):
        read(tmp_path, text)
