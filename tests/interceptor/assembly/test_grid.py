"""The grid of a series: which step a time belongs to, and when a step is."""

from __future__ import annotations

import pytest

from fncast.series.rfc3339 import parse_time
from fncast.series.step import Step
from interceptor.assembly.grid import around, from_anchor, periods
from tests.interceptor.assembly.partitions import NS, plain
from tests.interceptor.assembly.single_feed import Feed


def test_windows_of_calendar_months_start_on_the_first_day_of_a_month() -> None:
    feed = Feed(step=Step.parse("P1M"))
    days = [0, 31, 59, 90]  # the first days of January to April
    found = [window for day in days for window in feed.add(day * 86_400, float(day))]
    assert [(window.start, plain([window])[0][3][-3:]) for window in found] == [
        ("2025-09-01T00:00:00Z", [None, 0, 31]),
        ("2025-10-01T00:00:00Z", [0, 31, 59]),
        ("2025-11-01T00:00:00Z", [31, 59, 90]),
    ]
    assert b'"step":"P1M"' in found[0].to_json()


def test_readings_lie_in_the_middle_of_their_steps() -> None:
    feed = Feed(step=None, window=12)
    times = [at * 10 + 7 for at in range(9)]
    feed.values(*times)
    # Up to half a step too early or too late, a reading still counts for its own step.
    assert feed.values(101.9)[0][-2:] == [87, 101.9]
    assert feed.values(112.1)[0][-2:] == [None, 112.1]


def at(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time."""
    return round(parse_time(text).timestamp()) * NS


def test_a_single_reading_lies_in_the_middle_of_its_step() -> None:
    grid = around(Step.seconds(10), 1007 * NS)
    step = grid.index(1007 * NS)
    assert [grid.index(time * NS) for time in (1001, 1002, 1011, 1012)] == [step - 1, step, step, step + 1]
    assert grid.start_ns(step) == grid.end_ns(step) == 1007 * NS


def test_an_aggregated_step_begins_at_a_multiple_of_the_step() -> None:
    grid = periods(Step.seconds(60))
    step = grid.index(at("2026-01-01T00:00:59Z"))
    assert grid.start_ns(step) == at("2026-01-01T00:00:00Z")
    assert grid.end_ns(step) == at("2026-01-01T00:01:00Z")
    assert grid.index(at("2026-01-01T00:01:00Z")) == step + 1


@pytest.mark.parametrize(
    ("step", "start", "end"),
    [
        ("P1M", "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"),
        ("P3M", "2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z"),
        ("P1Y", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ],
)
def test_an_aggregated_calendar_step_begins_on_the_first_day(step: str, start: str, end: str) -> None:
    grid = periods(Step.parse(step))
    index = grid.index(at("2026-05-31T23:59:59Z"))
    assert (grid.start_ns(index), grid.end_ns(index)) == (at(start), at(end))


def test_a_calendar_grid_keeps_the_day_of_the_month_or_the_last_one() -> None:
    grid = around(Step.of_months(1, 31), at("2026-01-31T06:00:00Z"))
    assert [grid.start_ns(index) for index in (0, 1, 2)] == [
        at("2026-01-31T06:00:00Z"),
        at("2026-02-28T06:00:00Z"),
        at("2026-03-31T06:00:00Z"),
    ]


@pytest.mark.parametrize("step", [Step.seconds(10), Step.parse("P1M"), Step.of_months(1, 15)])
def test_the_anchor_of_a_grid_builds_it_again(step: Step) -> None:
    grid = around(step, at("2026-01-15T00:00:03Z"))
    again = from_anchor(step, step.day, grid.anchor())
    assert [again.start_ns(index) for index in range(5)] == [grid.start_ns(index) for index in range(5)]
