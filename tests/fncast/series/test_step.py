"""Steps: parsing, errors, and months of different lengths."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.series.rfc3339 import format_time, parse_time
from fncast.series.step import Step, format_start

PERIODS = ("P1M", "P2M", "P3M", "P6M", "P18M", "P1Y")


@pytest.mark.parametrize(
    "data",
    [{"step_s": 300}, {"step_s": 0.1}, *({"step": period} for period in PERIODS)],
)
def test_step_survives_json(data: dict[str, object]) -> None:
    assert Step.of(data).as_json() == data


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "missing"),
        ({"step_s": 300, "step": "P1M"}, "both"),
        ({"step_s": 0}, "positive"),
        ({"step_s": -1}, "positive"),
        ({"step_s": 1e-9}, "shorter than a microsecond"),
        ({"step_s": float("nan")}, "finite"),
        ({"step_s": 10**400}, "finite"),
        ({"step_s": True}, "number"),
        ({"step_s": "300"}, "number"),
        ({"step": 1}, "must be a string such as PT5M or P1M"),
        ({"step": []}, "must be a string such as PT5M or P1M"),
        ({"step": "monthly"}, "'monthly' is not an ISO 8601 duration"),
        ({"step": "p1m"}, "not an ISO 8601 duration"),
        ({"step": "P"}, "not an ISO 8601 duration"),
        ({"step": "P1MT"}, "not an ISO 8601 duration"),
        ({"step": "-P1M"}, "not an ISO 8601 duration"),
        ({"step": "P0.5M"}, "not an ISO 8601 duration"),
        ({"step": "P" + "9" * 5000 + "M"}, "not an ISO 8601 duration"),
        ({"step": "P1M1D"}, "mixes months with days"),
        ({"step": "P1YT1S"}, "mixes months with days"),
        ({"step": "P0M"}, "positive"),
        ({"step": "PT0S"}, "positive"),
        ({"step": "P999999Y"}, "9998 years"),
        ({"step": "P999999999999D"}, "more than all the years"),
        ({"step": "P1M", "step_day": 32}, "step_day must be a day of the month"),
        ({"step": "P1M", "step_day": "last"}, "step_day must be a day of the month"),
        ({"step": "P1M", "step_day": True}, "step_day must be a day of the month"),
    ],
)
def test_rejects_wrong_steps(data: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Step.of(data)


def test_rejects_an_integer_that_python_cannot_print() -> None:
    with pytest.raises(ValueError, match="finite, not an integer of thousands of digits"):
        Step.of({"step_s": 10**5000})


def test_months_keep_their_day_or_take_the_last() -> None:
    start = datetime(2024, 1, 31, tzinfo=UTC)
    month = Step.calendar("P1M")
    assert month.after(start, 1) == datetime(2024, 2, 29, tzinfo=UTC)
    assert month.after(start, 2) == datetime(2024, 3, 31, tzinfo=UTC)
    assert month.after(start, 12) == datetime(2025, 1, 31, tzinfo=UTC)
    assert Step.calendar("P1Y").after(datetime(2024, 2, 29, tzinfo=UTC), 1) == datetime(
        2025, 2, 28, tzinfo=UTC
    )


def test_months_are_counted_in_the_offset_of_the_start() -> None:
    start = parse_time("2024-01-01T00:00:00+01:00")
    assert format_time(Step.calendar("P1M").after(start, 2)) == "2024-02-29T23:00:00Z"


def test_fractions_of_a_second_do_not_drift() -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    assert Step.seconds(0.1).after(start, 1_000_000) == start + timedelta(seconds=100_000)


@pytest.mark.parametrize("step", [Step.seconds(1e10), Step.calendar("P1Y")])
def test_a_time_beyond_the_year_9999_is_an_error(step: Step) -> None:
    with pytest.raises(ValueError, match="9999"):
        step.after(datetime(2024, 1, 1, tzinfo=UTC), 48_000)


WHOLE_STEPS = st.integers(1, 24).map(Step.of_months) | st.integers(1, 10**7).map(Step.seconds)
ANCHORS = st.datetimes(datetime(1950, 1, 1), datetime(2049, 12, 31), timezones=st.just(UTC))


@given(WHOLE_STEPS, ANCHORS, st.integers(-100, 100), st.integers(-100, 100))
def test_steps_add_up(step: Step, start: datetime, first: int, second: int) -> None:
    """From any anchor, if the step has its day."""
    step = step.anchored(start)
    between = step.after(start, first)
    assert step.after(between, second) == step.after(start, first + second)
    assert step.index_between(start, between) == first


@given(st.integers(1950 * 12, 2049 * 12), st.sampled_from([1, 2, 3, 4, 6, 12, 18]))
def test_month_ends_stay_month_ends(month: int, months: int) -> None:
    """For fifty years from any first month, with only the first reading known."""
    first = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
    start = Step.of_months(1).after(first, 1) - timedelta(days=1)
    step = Step.of_months(months)
    for index in range(600 // months):
        end = step.after(start, index)
        assert (end + timedelta(days=1)).day == 1
        assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months * index


@pytest.mark.parametrize("start", ["2023-02-28", "2024-02-29", "2023-11-30", "2023-04-30", "2023-12-31"])
def test_a_start_on_a_last_day_means_the_end_of_every_month(start: str) -> None:
    moment = parse_time(f"{start}T00:00:00Z")
    assert Step.parse("P1M").anchored(moment).day == 31
    assert (Step.parse("P1M").after(moment, 1) + timedelta(days=1)).day == 1


@pytest.mark.parametrize("day", [28, 29, 30])
def test_a_known_day_survives_a_short_month(day: int) -> None:
    """A series on the 28th, 29th or 30th: its readings in February and April are also month ends."""
    step = Step.of_months(1, day)
    months = [step.after(datetime(2023, 1, day, tzinfo=UTC), index) for index in range(24)]
    for start in months:
        read = Step.of(step.as_json(start)).anchored(start)
        assert read.day == day
        assert read.after(start, 1) == step.after(start, 1)
    assert {start.day for start in months if start.month != 2} == {day}
    assert step.as_json(months[0]) == {"step": "P1M"}  # the day follows from the start
    assert step.as_json(months[1]) == {"step": "P1M", "step_day": day}


def test_a_start_on_another_day_is_an_error() -> None:
    with pytest.raises(ValueError, match="is not on step_day 31 of its month"):
        Step.of_months(1, 31).anchored(datetime(2023, 4, 29, tzinfo=UTC))


def test_a_calendar_step_keeps_the_offset_of_its_months() -> None:
    start = parse_time("2024-01-31T00:00:00+02:00")
    month = Step.parse("P1M")
    following = month.after(start, 1)
    assert format_start(following, month) == "2024-02-29T00:00:00+02:00"
    assert (
        format_start(parse_time(format_start(following, month)), Step.seconds(60)) == "2024-02-28T22:00:00Z"
    )
    berlin = datetime(2026, 3, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    assert format_start(month.after(berlin, 1), month) == "2026-04-01T00:00:00+02:00"


def test_seconds_are_elapsed_time_when_clocks_change() -> None:
    start = datetime(2026, 3, 29, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    assert format_time(Step.parse("PT1H").after(start, 1)) == "2026-03-29T01:00:00Z"


def test_the_nearest_step_is_found() -> None:
    quarter, start = Step.parse("P3M"), datetime(2006, 9, 30, tzinfo=UTC)
    assert quarter.index_between(start, datetime(2007, 1, 2, tzinfo=UTC)) == 1
    assert quarter.index_between(start, datetime(2007, 3, 1, tzinfo=UTC)) == 2
    assert quarter.index_between(start, datetime(2005, 10, 1, tzinfo=UTC)) == -4
    assert Step.parse("P1Y").index_between(start, datetime(2007, 2, 1, tzinfo=UTC)) == 0
    assert Step.seconds(60).index_between(start, start + timedelta(seconds=89)) == 1


def test_a_month_at_the_edge_of_the_calendar_is_counted_in_any_offset() -> None:
    start = datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=-12)))
    assert Step.parse("P1M").index_between(start, datetime(1, 1, 1, tzinfo=UTC)) == -2023 * 12
