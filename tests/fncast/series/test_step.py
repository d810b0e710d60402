"""Steps: what is read, what is refused, and months that are not of one length."""

from datetime import UTC, datetime, timedelta

import pytest

from fncast.series.rfc3339 import format_time, parse_time
from fncast.series.step import Step


@pytest.mark.parametrize("data", [{"step_s": 300}, {"step_s": 0.1}, {"step": "P1M"}, {"step": "P1Y"}])
def test_step_survives_json(data: dict[str, object]) -> None:
    assert Step.of(data).as_json() == data


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "missing"),
        ({"step_s": 300, "step": "P1M"}, "both"),
        ({"step_s": 0}, "positive"),
        ({"step_s": -1}, "positive"),
        ({"step_s": float("nan")}, "finite"),
        ({"step_s": 10**400}, "finite"),
        ({"step_s": True}, "number"),
        ({"step_s": "300"}, "number"),
        ({"step": "PT5M"}, "P1M or P1Y"),
        ({"step": 1}, "P1M or P1Y"),
        ({"step": []}, "P1M or P1Y"),
    ],
)
def test_refuses_what_is_no_step(data: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Step.of(data)


def test_refuses_an_integer_that_python_does_not_write() -> None:
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
def test_says_when_time_ends(step: Step) -> None:
    with pytest.raises(ValueError, match="9999"):
        step.after(datetime(2024, 1, 1, tzinfo=UTC), 48_000)
