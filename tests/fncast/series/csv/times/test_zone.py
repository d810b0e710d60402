"""Local times of a time zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from fncast.series.csv.file import CsvError
from fncast.series.step import Step
from tests.fncast.series.csv.texts import BERLIN, HOURS, START, local, read

AUTUMN = ["2026-10-25 01:30", "2026-10-25 02:00", "2026-10-25 02:30"]
AUTUMN += ["2026-10-25 02:00", "2026-10-25 02:30", "2026-10-25 03:00", "2026-10-25 03:30"]


@pytest.mark.parametrize("order", ["as it was", "newest first", "sorted"])
def test_the_hour_that_comes_twice_has_both_passes(tmp_path: Path, order: str) -> None:
    readings = list(enumerate(AUTUMN))
    expected = list(range(7))
    if order == "newest first":
        readings.reverse()
    if order == "sorted":  # 02:00 02:00 02:30 02:30: repeated times are in the second pass
        readings.sort(key=lambda reading: reading[1])
    text = "time,value\n" + "".join(f"{time},{at}\n" for at, time in readings)
    summary = read(tmp_path, text, timezone=BERLIN)
    [series] = summary.series
    assert (series.start, series.step) == (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), Step.seconds(1800))
    assert series.values.tolist() == expected
    assert summary.problems() == []


def test_the_hour_that_comes_twice_without_a_zone_suggests_the_flag(tmp_path: Path) -> None:
    summary = local(tmp_path, AUTUMN)
    assert summary.repeated == 2
    assert any("--timezone Europe/Berlin" in line for line in summary.lines())


def test_a_time_in_the_hour_that_clocks_skip_is_an_error_if_it_has_a_reading(tmp_path: Path) -> None:
    times = ["2026-03-29 01:00", "2026-03-29 01:30", "2026-03-29 03:00", "2026-03-29 03:30"]
    summary = local(tmp_path, times, timezone=BERLIN)
    [series] = summary.series
    assert (series.start, series.values.tolist()) == (datetime(2026, 3, 29, tzinfo=UTC), [0, 1, 2, 3])
    with pytest.raises(CsvError, match="line 3: '2026-03-29 02:00' does not exist in Europe/Berlin"):
        local(tmp_path, ["2026-03-29 01:30", "2026-03-29 02:00", "2026-03-29 03:00"], timezone=BERLIN)
    filled = "time,value\n2026-03-29 01:00,0\n2026-03-29 02:00,\n2026-03-29 03:00,1\n2026-03-29 04:00,2\n"
    assert read(tmp_path, filled, timezone=BERLIN).series[0].values.tolist() == [0, 1, 2]


def test_a_year_of_local_hours_is_a_year_of_hours(tmp_path: Path) -> None:
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(24 * 365)]
    times = [moment.astimezone(BERLIN).strftime("%d.%m.%Y %H:%M") for moment in moments]
    summary = local(tmp_path, times, timezone=BERLIN)
    [series] = summary.series
    assert (series.start, len(series), summary.problems()) == (moments[0], len(moments), [])
    assert series.values.tolist() == list(range(len(moments)))


def test_days_and_offsets_are_not_moved_by_the_zone(tmp_path: Path) -> None:
    days = [f"2026-03-{day:02}" for day in range(20, 31)]
    assert local(tmp_path, days, timezone=BERLIN).series[0].start == datetime(2026, 3, 20, tzinfo=UTC)
    assert local(tmp_path, HOURS, timezone=BERLIN).series[0].start == START
    midnights = [f"{day} 00:00" for day in days]
    summary = local(tmp_path, midnights, timezone=BERLIN)
    assert (summary.series[0].start, summary.moved) == (datetime(2026, 3, 20, tzinfo=UTC), 0)


@pytest.mark.parametrize(
    "written",
    [
        lambda time: time.isoformat(),
        lambda time: time.astimezone(UTC).isoformat(),
        lambda time: time.astimezone(timezone(timedelta(hours=1))).isoformat(),  # winter time all year
        lambda time: str(int(time.timestamp())),
    ],
)
def test_days_of_a_time_zone_are_not_moved_when_its_offset_changes(
    tmp_path: Path, written: Callable[[datetime], str]
) -> None:
    midnights = [datetime(2025, 1, 1, tzinfo=BERLIN) + timedelta(days=day) for day in range(400)]
    summary = local(tmp_path, [written(time) for time in midnights], timezone=BERLIN)
    [series] = summary.series
    assert (series.start, len(series), summary.problems()) == (midnights[0], 400, [])
    without = local(tmp_path, [written(time) for time in midnights])
    assert without.moved == 210
    assert any("pass --timezone" in line for line in without.lines()) == (
        written(midnights[0])[-6:] == "+01:00" and written(midnights[180])[-6:] == "+02:00"
    )


@pytest.mark.parametrize("is_local", [True, False])
def test_months_of_a_time_zone_begin_at_its_midnight(tmp_path: Path, is_local: bool) -> None:
    months = [datetime(2025 + month // 12, month % 12 + 1, 1, tzinfo=BERLIN) for month in range(24)]
    hours = [month.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ") for month in months]
    texts = [month.strftime("%Y-%m-%dT%H:%M%z") for month in months] if is_local else hours
    summary = local(tmp_path, texts, timezone=BERLIN)
    [series] = summary.series
    assert series.step == Step.calendar("P1M")
    assert [series.time(month) for month in range(24)] == months
