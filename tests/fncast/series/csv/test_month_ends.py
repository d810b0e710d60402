"""Readings at the ends of months stay monthly, in each form, offset and time zone."""

from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fncast.series.csv.file import CsvOptions, read_csv_file
from fncast.series.step import Step
from tests.fncast.series.csv.files import read_one, write

BERLIN = ZoneInfo("Europe/Berlin")


def test_month_ends_are_monthly(tmp_path: Path) -> None:
    series, _ = read_one(tmp_path, "date,value\n2026-01-31,1\n2026-02-28,2\n2026-03-31,3\n2026-04-30,4\n")
    assert series.step == Step.calendar("P1M")
    assert series.values.tolist() == [1, 2, 3, 4]


def last_day(number: int) -> date:
    """The last day of the month `number` months after January 2024."""
    following = number + 1
    return date(2024 + following // 12, following % 12 + 1, 1) - timedelta(days=1)


@pytest.mark.parametrize("column", ["date", "date,series"])
@pytest.mark.parametrize(
    ("time", "offset_h"),
    [
        ("T00:00+01:00", 1),
        ("T00:00:00+01:00", 1),
        (" 00:00 +0100", 1),
        ("T00:00:00-05:00", -5),
        ("T23:59:59+13:00", 13),
        ("T00:00:00Z", 0),
    ],
)
def test_month_ends_of_an_offset_stay_month_ends(
    tmp_path: Path, time: str, offset_h: int, column: str
) -> None:
    key = ",a" if "," in column else ""
    lines = [f"{last_day(number)}{time}{key},{number}" for number in range(14)]
    series, corrections = read_one(tmp_path, "\n".join([f"{column},value", *lines, ""]))
    assert (str(series.step), bool(corrections)) == ("P1M", False)
    assert series.start.utcoffset() == timedelta(hours=offset_h)
    assert [series.time(number).date() for number in range(30)] == [last_day(n) for n in range(30)]


def test_month_ends_in_summer_and_winter_time_stay_month_ends(tmp_path: Path) -> None:
    """Without a time zone the commonest offset counts. A difference of one hour moves no reading."""
    midnights = [datetime.combine(last_day(number), clock.min, tzinfo=BERLIN) for number in range(14)]
    text = "".join(f"{time.isoformat()},1\n" for time in midnights)
    series, corrections = read_one(tmp_path, f"date,value\n{text}")
    assert (str(series.step), series.step.day, bool(corrections)) == ("P1M", 31, False)
    [series] = read_csv_file(tmp_path / "cpu.csv", CsvOptions(timezone=BERLIN)).series
    assert [series.time(number) for number in range(14)] == midnights


@pytest.mark.parametrize("times_of_day", [[0], [0, 6]])
@pytest.mark.parametrize("step", [None, Step.calendar("P1M")])
def test_month_ends_of_a_time_zone_stay_month_ends(
    tmp_path: Path, times_of_day: list[int], step: Step | None
) -> None:
    """Also if the times of day differ, so that they are converted to UTC."""
    text = "".join(
        f"{last_day(number)} {times_of_day[number % len(times_of_day)]:02}:00,1\n" for number in range(14)
    )
    path = write(tmp_path, f"date,value\n{text}")
    summary = read_csv_file(path, CsvOptions(timezone=BERLIN, step=step))
    [series], [corrections] = summary.series, summary.corrections
    assert (str(series.step), bool(corrections)) == ("P1M", False)
    assert [series.time(number).date() for number in range(30)] == [last_day(n) for n in range(30)]
