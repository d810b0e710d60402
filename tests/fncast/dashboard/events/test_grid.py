"""Times of readings and their indices."""

from datetime import UTC, datetime, timedelta

import pytest

from fncast.dashboard.events.fields import UnreadableData
from fncast.dashboard.events.grid import Grid
from fncast.series.step import Step


def test_jittering_times_are_placed_on_the_grid() -> None:
    start = datetime(2024, 5, 1, tzinfo=UTC)
    grid = Grid(Step.seconds(0.25), start)
    assert grid.index_of(start + timedelta(seconds=2.56)) == 10
    assert grid.time_of(10) == start.timestamp() + 2.5


def test_months_are_placed_on_the_grid() -> None:
    grid = Grid(Step.calendar("P1M"), datetime(2024, 1, 31, tzinfo=UTC))
    assert grid.index_of(datetime(2025, 3, 31, tzinfo=UTC)) == 14
    assert grid.index_of(datetime(2025, 3, 1, tzinfo=UTC)) == 13  # nearest to the end of February
    assert grid.time_of(1) == datetime(2024, 2, 29, tzinfo=UTC).timestamp()


def test_a_grid_counts_the_days_of_its_start() -> None:
    """`step_day` keeps the 30th, even if the first window starts in February."""
    grid = Grid.of({"start": "2023-02-28T00:00:00+02:00", "step": "P3M", "step_day": 30})
    assert grid.offset_s == 7200
    assert grid.time_of(1) == datetime.fromisoformat("2023-05-30T00:00:00+02:00").timestamp()
    assert Grid.of([1, 2]).offset_s == 0


def test_a_start_before_the_calendar_in_utc_is_unreadable() -> None:
    with pytest.raises(UnreadableData, match="outside the years 1 to 9999 in UTC"):
        Grid.of({"start": "0001-01-01T00:00:00+01:00", "step_s": 60})
