"""The grid that is found for months: quarters, years, month ends."""

from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.series.csv.file import CsvError
from fncast.series.rfc3339 import format_time
from fncast.series.step import Step
from tests.fncast.series.csv.texts import read
from tests.fncast.series.grids import BERLIN, assert_as_is, grid


def month_ends(first: date, count: int, months: int = 1) -> list[datetime]:
    """The last days of months, computed without a Step."""
    found, month = [], first.year * 12 + first.month - 1
    for number in range(count):
        following = month + months * number + 1
        found.append(datetime(following // 12, following % 12 + 1, 1, tzinfo=UTC) - timedelta(days=1))
    return found


def of_months(first: datetime, count: int, months: int) -> list[datetime]:
    """The same day of several months, at most the 28th."""
    numbers = [first.month - 1 + months * number for number in range(count)]
    return [first.replace(year=first.year + n // 12, month=n % 12 + 1) for n in numbers]


@pytest.mark.parametrize(
    ("first", "count"),
    [(date(2022, 9, 30), 60), (date(2023, 2, 28), 60), (date(2024, 2, 29), 3), (date(2023, 11, 30), 2)],
)
def test_month_ends_stay_month_ends(first: date, count: int) -> None:
    times = month_ends(first, count + 12)
    series = assert_as_is(times[:count], "P1M")
    assert [series.time(index) for index in range(count, count + 12)] == times[count:]


@given(st.integers(1960 * 12, 2040 * 12), st.integers(2, 40), st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_month_ends_from_any_first_month(month: int, count: int, months: int) -> None:
    times = month_ends(date(month // 12, month % 12 + 1, 1), count + 50, months)
    series, corrections = grid(times[:count])
    assert (series.step, corrections.off_grid, corrections.missing) == (Step.of_months(months), 0, 0)
    assert [series.time(index) for index in range(len(times))] == times


@given(
    st.dates(date(1960, 1, 1), date(2040, 1, 1)), st.integers(3, 40), st.sampled_from([1, 2, 3, 4, 6, 12, 24])
)
def test_any_day_of_the_month_is_kept(first: date, count: int, months: int) -> None:
    """Also the 29th, 30th and 31st, although some months are shorter."""
    step, start = (
        Step.of_months(months, first.day),
        datetime(first.year, first.month, first.day, 6, tzinfo=UTC),
    )
    times = [step.after(start, index) for index in range(count)]
    series, corrections = grid(times)
    assert series.step == step
    assert not corrections
    assert [series.time(index) for index in range(count)] == times


@pytest.mark.parametrize(
    ("first", "count", "months", "step"),
    [
        (datetime(2006, 7, 1, tzinfo=UTC), 78, 3, "P3M"),
        (datetime(2006, 2, 15, tzinfo=UTC), 40, 3, "P3M"),
        (datetime(1990, 1, 1, tzinfo=UTC), 60, 6, "P6M"),
        (datetime(1990, 1, 1, tzinfo=UTC), 60, 2, "P2M"),
        (datetime(1900, 1, 1, tzinfo=UTC), 100, 12, "P1Y"),
        (datetime(1900, 4, 1, tzinfo=UTC), 2, 12, "P1Y"),
        (datetime(2006, 10, 1, tzinfo=UTC), 2, 3, "P3M"),
    ],
)
def test_quarters_half_years_and_years_are_found(first: datetime, count: int, months: int, step: str) -> None:
    assert_as_is(of_months(first, count, months), step)


def test_quarters_with_one_missing_stay_quarters() -> None:
    times = of_months(datetime(2006, 7, 1, tzinfo=UTC), 40, 3)
    series, corrections = grid(times[:7] + times[8:])
    assert (series.step, corrections.missing, corrections.off_grid) == (Step.parse("P3M"), 1, 0)
    assert series.time(39) == times[39]


def test_months_are_found_although_many_are_missing() -> None:
    times = of_months(datetime(2006, 7, 1, tzinfo=UTC), 40, 1)
    kept = [time for index, time in enumerate(times) if index % 5 not in (1, 3)]
    series, corrections = grid(kept)
    assert (series.step, corrections.missing, len(series)) == (Step.parse("P1M"), 16, 40)


def test_a_stray_reading_does_not_hide_the_quarters() -> None:
    times = of_months(datetime(2006, 7, 1, tzinfo=UTC), 40, 3)
    series, corrections = grid(sorted([*times, datetime(2008, 8, 20, tzinfo=UTC)]))
    assert (series.step, len(series), corrections.off_grid) == (Step.parse("P3M"), 40, 1)
    assert series.time(39) == times[39]


def business_day(last: datetime) -> datetime:
    return last - timedelta(days=max(0, last.weekday() - 4))


def fourth_friday(last: datetime) -> datetime:
    first = last.replace(day=1)
    return first + timedelta(days=(4 - first.weekday()) % 7 + 21)


@pytest.mark.parametrize(("place", "day"), [(business_day, 31), (fourth_friday, None)])
def test_one_reading_a_month_is_monthly_whatever_its_day(
    place: Callable[[datetime], datetime], day: int | None
) -> None:
    times = [place(last) for last in month_ends(date(2016, 1, 31), 96)]
    series, corrections = grid(times)
    assert (str(series.step), len(series), corrections.missing, corrections.replaced) == ("P1M", 96, 0, 0)
    assert corrections.off_grid > 0  # and reported
    assert day is None or series.step.day == day


def test_months_of_a_time_zone_begin_at_its_midnight() -> None:
    times = of_months(datetime(2024, 1, 1, tzinfo=BERLIN), 24, 1)
    series = assert_as_is(times, "P1M", BERLIN)
    assert format_time(series.time(30)) == "2026-06-30T22:00:00Z"  # midnight in summer


def test_month_ends_of_an_offset_keep_it() -> None:
    zone = timezone(timedelta(hours=2))
    times = [time.replace(tzinfo=zone) for time in month_ends(date(2024, 1, 31), 24)]
    series = assert_as_is(times, "P1M", zone)
    assert series.start.utcoffset() == timedelta(hours=2)


def test_an_hour_of_daylight_saving_moves_no_month() -> None:
    """Local midnights in UTC."""
    times = [time.astimezone(UTC) for time in of_months(datetime(2024, 1, 1, tzinfo=BERLIN), 24, 1)]
    series, corrections = grid(times)
    assert (str(series.step), bool(corrections)) == ("P1M", False)


@pytest.mark.parametrize(
    ("step", "values"),
    [("P1M", [0, np.nan, 1, 2]), ("P3M", [0, 2]), ("P6M", [0, 2]), ("P1Y", [0, 2]), ("P2M", [0, 2])],
)
def test_a_given_calendar_step_puts_readings_into_its_periods(step: str, values: list[float]) -> None:
    """The later of two readings for one place counts."""
    times = [
        datetime(2025, 11, 30, tzinfo=UTC),
        datetime(2026, 1, 31, tzinfo=UTC),
        datetime(2026, 2, 28, tzinfo=UTC),
    ]
    series, _ = grid(times, Step.parse(step))
    assert series.step.day == 31
    np.testing.assert_array_equal(series.values, values)


@pytest.mark.parametrize(
    ("days", "named"),
    [
        ((1, 15), "day 1 and day 15"),
        ((1, 16), "day 1 and day 16"),
        ((15, 30), "day 15 and day 30"),
        ((15, 31), "day 15 and the last day"),
    ],
)
def test_two_readings_a_month_are_rejected(tmp_path: Path, days: tuple[int, int], named: str) -> None:
    dates = [
        f"2025-{month:02}-{min(day, monthrange(2025, month)[1]):02}" for month in range(1, 13) for day in days
    ]
    for chosen in (dates, dates[1:-1]):
        with pytest.raises(
            CsvError, match=f"has two readings in each month, on {named}, which is not a regular step"
        ):
            read(tmp_path, "date,x\n" + "".join(f"{date},{at}\n" for at, date in enumerate(chosen)))
