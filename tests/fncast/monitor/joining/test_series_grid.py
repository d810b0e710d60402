"""The steps of one series: their indices and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fncast.monitor.joining.series_grid import SeriesGrid
from fncast.series.step import Step

START = datetime(2026, 1, 31, tzinfo=UTC)


def test_a_moment_belongs_to_the_nearest_step() -> None:
    grid = SeriesGrid(START, Step.seconds(60.0))
    assert [grid.index(START + timedelta(seconds=each)) for each in (0, 29, 31, -60)] == [0, 0, 1, -1]
    assert grid.time_s(2) == START.timestamp() + 120.0
    assert grid.step_s == 60.0


def test_a_calendar_step_has_the_time_of_its_day() -> None:
    grid = SeriesGrid(START, Step.of_months(1).anchored(START))
    assert grid.time_s(1) == datetime(2026, 2, 28, tzinfo=UTC).timestamp()
    assert grid.step_s == 28 * 86_400.0
