"""Numbers are read as the times that people and programs mean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fncast.series.csv.file import CsvError
from fncast.series.step import Step
from tests.fncast.series.csv.texts import START, lines, read


@pytest.mark.parametrize(
    ("cell", "start", "step"),
    [
        (lambda i: str(45674 + i), datetime(2025, 1, 17, tzinfo=UTC), Step.seconds(86400)),
        (lambda i: f"{45674 + i / 24:.6f}", datetime(2025, 1, 17, tzinfo=UTC), Step.seconds(3600)),
        (lambda i: f"20260101{i:02}", START, Step.seconds(3600)),
        (lambda i: f"20260101{i:02}30", START + timedelta(minutes=30), Step.seconds(3600)),
        (lambda i: f"202601010010{i:02}", START + timedelta(minutes=10), Step.seconds(1)),
        (lambda i: f"2020{i + 1:02}", datetime(2020, 1, 1, tzinfo=UTC), Step.calendar("P1M")),
        (lambda i: str(1_767_225_600 + i), START, Step.seconds(1)),
        (lambda i: f"{1_767_225_600 + i}.0", START, Step.seconds(1)),
        (lambda i: str((1_767_225_600 + i) * 1000), START, Step.seconds(1)),
        (lambda i: str((1_767_225_600 + i) * 10**6), START, Step.seconds(1)),
        (lambda i: str((1_767_225_600 + i) * 10**9), START, Step.seconds(1)),
        # pandas writes whole numbers so if one is missing.
        (lambda i: f"{2016 + i}.0", datetime(2016, 1, 1, tzinfo=UTC), Step.calendar("P1Y")),
        (lambda i: f"202601{i + 1:02}.0", START, Step.seconds(86400)),
    ],
)
def test_numbers_are_read_as_times(
    tmp_path: Path, cell: Callable[[int], str], start: datetime, step: Step
) -> None:
    summary = read(tmp_path, lines("date;value", lambda i: f"{cell(i)};{i}"))
    [series] = summary.series
    assert (series.start, series.step) == (start, step)
    assert series.values.tolist() == list(range(10))
    assert summary.problems() == []


@pytest.mark.parametrize(
    ("times", "sentence"),
    [
        (
            ["2026010122", "2026010123", "2026010125"],
            "line 4: '2026010125' is not a time of the form YYYYMMDDHH",
        ),
        (
            ["1767225600", "1767225601", "1767225602000"],
            "line 4: '1767225602000' is not a number of seconds since 1970",
        ),
        ([f"2026{week:02}" for week in range(1, 53)], "line 2: '202601' looks like a year and a week"),
        (["20261", "20262", "20263", "20264", "20271"], "line 2: '20261' looks like a year and a quarter"),
        ([f"2026.{month:02}" for month in range(1, 13)], "line 2: '2026.01' looks like a year and a month"),
        ([f"{month:02}.2026" for month in range(1, 13)], "line 2: '01.2026' looks like a month and a year"),
        (
            [str(639_000_000_000_000_000 + i * 36_000_000_000) for i in range(3)],
            "line 2: '639000000000000000' may count nanoseconds since 1970 or .NET ticks",
        ),
        (
            [str(134_000_000_000_000_000 + i * 36_000_000_000) for i in range(3)],
            "line 2: '134000000000000000' may count nanoseconds since 1970 or Windows file times",
        ),
        (
            [str(3_976_214_400 + i * 60) for i in range(3)],
            "line 2: '3976214400' may count seconds since 1970 or seconds since 1900 or 1904",
        ),
        (
            [f"2026{day:03}" for day in range(1, 9)],
            "line 2: '2026001' looks like a year and a day of the year",
        ),
        (
            [f"2026{day:03}06" for day in range(1, 9)],
            "line 2: '202600106' looks like a year and a day of the",
        ),
        (
            [f"{day:02}012026" for day in range(1, 32)],
            "line 2: '01012026' looks like a date with the day first",
        ),
        (
            [f"01{day}2026" for day in range(13, 32)],
            "line 2: '01132026' looks like a date with the month first",
        ),
        (
            [f"2601{day}" for day in range(10, 32)],
            "line 2: '260110' looks like a date with a year of two digits",
        ),
        (
            [f"2601{day}1230" for day in range(10, 32)],
            "line 2: '2601101230' looks like a date with a year of two",
        ),
        (["20454", "20455"], "line 2: '20454' may count Excel's days or days since 1970"),
        (["61041.5", "61042.5"], "line 2: '61041.5' may count Excel's days or modified Julian days"),
        (["19800", "19801"], "line 2: '19800' may count seconds since 1970 or days since 1970"),
        (["490896", "490897"], "line 2: '490896' may count seconds since 1970 or hours since 1970"),
        (["29453760", "29453820"], "line 2: '29453760' may count seconds since 1970 or minutes since 1970"),
        (["2460676.5", "2460677.5"], "line 2: '2460676.5' may count seconds since 1970 or Julian days"),
        (["739618", "739619"], "line 2: '739618' may count seconds since 1970 or MATLAB's days"),
        (["2025.958", "2026.042"], "line 2: '2025.958' may count seconds since 1970 or years"),
        (["17672256000", "17672292000"], "line 2: '17672256000' is neither a date of YYYYMMDDHHMMSS nor"),
        (
            ["176722560000", "176722920000"],
            "line 2: '176722560000' may count milliseconds since 1970 or hundredths of a second since 1970",
        ),
        (
            ["176722560000000", "176722920000000"],
            "line 2: '176722560000000' may count microseconds since 1970 or units of 10 microseconds since 1970",
        ),
        (
            ["176722560000000000", "176722920000000000"],
            "line 2: '176722560000000000' may count nanoseconds since 1970 or units of 10 nanoseconds since 1970",
        ),
        ([f"26{day:03}" for day in range(1, 9)], "line 2: '26001' looks like a year of two digits and a day"),
    ],
)
def test_a_number_that_may_be_another_time_is_an_error(
    tmp_path: Path, times: list[str], sentence: str
) -> None:
    text = lines("date,value", lambda i: f"{times[i]},{i}", len(times))
    with pytest.raises(CsvError) as caught:
        read(tmp_path, text)
    assert sentence in str(caught.value)


def test_a_small_number_is_seconds_since_1970_and_reported(tmp_path: Path) -> None:
    summary = read(tmp_path, "time,value\n0,1\n60,2\n120,3\n")
    assert summary.problems() == ["the times 0 to 120 were read as seconds since 1970"]
    assert "1970-01-01T00:00:00Z to 1970-01-01T00:02:00Z; step 60 s" in summary.lines()[0]
