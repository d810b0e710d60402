"""Times are read as people and programs mean them."""

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
        (lambda i: f"20260101T00{i:02}00Z", START, Step.seconds(60)),
        (lambda i: f"{10 + i}.01.2026 08:00", datetime(2026, 1, 10, 8, tzinfo=UTC), Step.seconds(86400)),
        (lambda i: f"{10 + i}/01/2026", datetime(2026, 1, 10, tzinfo=UTC), Step.seconds(86400)),
        (lambda i: f"1/{10 + i}/2026 1:00 PM", datetime(2026, 1, 10, 13, tzinfo=UTC), Step.seconds(86400)),
        (lambda i: f"{10 + i}-Jan-26", datetime(2026, 1, 10, tzinfo=UTC), Step.seconds(86400)),
        (lambda i: f"Jan {10 + i}, 2026", datetime(2026, 1, 10, tzinfo=UTC), Step.seconds(86400)),
        (
            lambda i: f"2026-01-01 0{i}:00:00+01:00",
            datetime(2025, 12, 31, 23, tzinfo=UTC),
            Step.seconds(3600),
        ),
        (lambda i: f"2026-01-01 0{i}:00:00.250 UTC", START + timedelta(seconds=0.25), Step.seconds(3600)),
        (
            lambda i: f"1/{10 + i}/2026, 1:00:00\u202fPM",
            datetime(2026, 1, 10, 13, tzinfo=UTC),
            Step.seconds(86400),
        ),
        (lambda i: f"2026/1/{i + 1} 24:00", datetime(2026, 1, 2, tzinfo=UTC), Step.seconds(86400)),
        (lambda i: f"{10 + i}.01.26", datetime(2026, 1, 10, tzinfo=UTC), Step.seconds(86400)),
    ],
)
def test_times_are_read_as_meant(
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
            ["2.02601E+11", "2.02601E+11", "2.02602E+11"],
            "'2.02601E+11' in column 'date' is not read as a time",
        ),
        (["2026-W01", "2026-W02", "2026-W03"], "'2026-W01' in column 'date' is not read as a time"),
        (
            ["01/02/2026", "02/02/2026", "03/02/2026"],
            "'01/02/2026' may have the day or the month first; say --dates",
        ),
        (["26-01-29", "26-01-30", "26-01-31"], "'26-01-29' may have the day or the month first; say --dates"),
        (["13/02/2026", "02/14/2026", "03/02/2026"], "has the day first, but '02/14/2026' the month"),
        (["2026-02-29", "2026-03-01", "2026-03-02"], "line 2: '2026-02-29' is not a time"),
        (["2026-03-01", "2026-03-02", ""], "line 4: '' is not a time"),
        (
            [f"26.01.{day:02}" for day in range(1, 20)],
            "line 2: '26.01.01' may have the day or the month first",
        ),
        (["30.12.30", "31.12.30"], "line 2: '30.12.30' may be in this or in the last century"),
        (["1-Jan-69", "1-Jan-70"], "line 2: '1-Jan-69' may be in this or in the last century"),
        (
            [f"26.01.01 {hour:02}:00" for hour in range(9)],
            "line 2: '26.01.01 00:00' may have the day or the month",
        ),
        (
            [f"0026-01-{day:02}" for day in range(1, 9)],
            "line 2: '0026-01-01' is not in the years 1000 to 9998",
        ),
        (
            [f"2026-01-01 {hour:02}:00-{hour + 1:02}:00" for hour in range(8, 12)],
            "line 2: '2026-01-01 08:00-09:00' is a span of time, as are all cells",
        ),
        (["0000-12-31", "0001-12-31"], "line 2: '0000-12-31' is not in the years 1000 to 9998"),
        (
            ["2026-01-01", "9999-12-31T23:59:59-12:00"],
            "line 3: '9999-12-31T23:59:59-12:00' is not in the years",
        ),
    ],
)
def test_a_time_never_lands_in_another_year(tmp_path: Path, times: list[str], sentence: str) -> None:
    text = lines("date,value", lambda i: f"{times[i]},{i}", len(times))
    with pytest.raises(CsvError) as caught:
        read(tmp_path, text)
    assert sentence in str(caught.value)
