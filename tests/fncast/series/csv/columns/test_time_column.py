"""The column of times, and the one with the times of day."""

from __future__ import annotations

import pytest

from fncast.series.csv.columns.profile import profiles
from fncast.series.csv.columns.time_column import find_clock, find_time
from fncast.series.csv.error import CsvError
from tests.fncast.series.csv.tables import table


def found_time(header: str, *rows: str) -> str:
    read = table("\n".join([header, *rows]) + "\n")
    return find_time(read, profiles(read)).name


@pytest.mark.parametrize(
    ("header", "rows", "name"),
    [
        ("ds,y", ("2026-01-01,1", "2026-01-02,2"), "ds"),
        ("created,timestamp", ("2026-01-05,2026-01-01", "2026-01-06,2026-01-02"), "timestamp"),
        ("when,y", ("2026-01-01,1", "2026-01-02,2"), "when"),
        ("end,start", ("2026-01-02,2026-01-01", "2026-01-03,2026-01-02"), "start"),
        ("code,when", ("1767225600,20260101", "1767222000,20260102", "1767229200,20260103"), "when"),
        ("t,y", ("0,1", "60,2"), "t"),
    ],
)
def test_the_column_of_times_is_found_by_name_and_content(
    header: str, rows: tuple[str, ...], name: str
) -> None:
    assert found_time(header, *rows) == name


@pytest.mark.parametrize(
    ("header", "rows", "reason"),
    [
        ("a,b", ("x,1", "y,2"), r"no column holds times \(the columns are a, b\)"),
        ("date,b", ("2026-W01,1", "2026-W02,2"), "'2026-W01' in column 'date' is not read as a time"),
        (
            "p,q,b",
            ("2026-01-01,2026-01-02,1", "2026-01-02,2026-01-03,2"),
            "'p', 'q' all hold times; say which",
        ),
    ],
)
def test_without_a_sure_column_the_error_names_the_flag(
    header: str, rows: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(CsvError, match=rf"{reason}.*--time-column"):
        found_time(header, *rows)


@pytest.mark.parametrize(
    ("rows", "position"),
    [
        (("2026-01-01,08:00", "2026-01-02,09:00"), 1),
        (("2026-01-01 00:00:00,08:00", "2026-01-02 00:00:00,09:00"), 1),  # as Excel writes dates
        (("2026-01-01 07:00,08:00", "2026-01-02 07:00,09:00"), None),
        (("20260101,08:00", "20260102,09:00"), 1),
        (("2026-01-01,8", "2026-01-02,9"), None),
    ],
)
def test_dates_are_completed_by_the_only_column_of_times_of_day(
    rows: tuple[str, ...], position: int | None
) -> None:
    read = table("\n".join(["date,at", *rows]) + "\n")
    found = profiles(read)
    assert find_clock(found[0], found) == position
