"""Dates and times of day, as people and programs write them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from fncast.series.csv.file import CsvError
from fncast.series.csv.times.date import (
    DAY_FIRST,
    MONTH_FIRST,
    day_number,
    has_unsure_century,
    offset_seconds,
    order_of,
    seconds_of_day,
)
from tests.fncast.series.csv.texts import lines, read, values


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


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["31/01/2026", "02/01/2026"], DAY_FIRST),
        (["01/13/2026", "01/02/2026"], MONTH_FIRST),
        (["01.02.2026"], DAY_FIRST),
        (["01/02/2026", "03/02/2026"], None),
        (["01/01/2026"], DAY_FIRST),  # the same in both orders
        (["2026-01-02"], DAY_FIRST),  # no date that has an order
    ],
)
def test_a_day_above_12_shows_the_order_of_the_dates(texts: list[str], order: str | None) -> None:
    assert order_of(texts) == order


def test_dates_in_both_orders_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"'31/01/2026' has the day first, but '01/31/2026' the month"):
        order_of(["31/01/2026", "01/31/2026"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-03", date(2026, 2, 3)),
        ("2026-02", date(2026, 2, 1)),
        ("03.02.2026", date(2026, 2, 3)),
        ("20260203", date(2026, 2, 3)),
        ("3 Sept 2026", date(2026, 9, 3)),
        ("Feb 3, 2026", date(2026, 2, 3)),
        ("03/02/70", date(1970, 2, 3)),
        ("03/02/29", date(2029, 2, 3)),
        ("2026-02-30", None),
        ("3 Foo 2026", None),
    ],
)
def test_a_date_is_its_day_since_1970(text: str, expected: date | None) -> None:
    assert day_number(text) == (None if expected is None else (expected - date(1970, 1, 1)).days)


def test_the_order_decides_which_number_is_the_month() -> None:
    assert day_number("03/02/2026", MONTH_FIRST) == (date(2026, 3, 2) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("text", "is_unsure"), [("01/02/29", False), ("01/02/30", True), ("1-Jan-69", True), ("1-Jan-70", False)]
)
def test_some_years_of_two_digits_may_be_of_two_centuries(text: str, is_unsure: bool) -> None:
    assert has_unsure_century(text) is is_unsure


@pytest.mark.parametrize(
    ("text", "half", "seconds"),
    [
        ("08:30", "", 30_600),
        ("24:00", "", 86_400),
        ("12:05:09", " AM", 309),
        ("12:00", "pm", 43_200),
        ("2359", "", 86_340),
        ("23:59:60", "", 86_400),  # a leap second
        ("23:58:60", "", None),
        ("24:01", "", None),
        ("13:00", "PM", None),
        ("noon", "", None),
    ],
)
def test_a_time_of_day_is_its_seconds_since_midnight(text: str, half: str, seconds: int | None) -> None:
    assert seconds_of_day(text, half) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"), [("Z", 0), ("", 0), ("+02:00", 7200), (" -0530", -19_800), ("+24:00", None)]
)
def test_an_offset_is_its_seconds_east_of_greenwich(text: str, seconds: int | None) -> None:
    assert offset_seconds(text) == seconds
