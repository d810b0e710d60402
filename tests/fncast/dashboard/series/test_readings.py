"""Overlapping windows become one sequence of readings."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.dashboard.series.readings import (
    MAX_READINGS,
    Grid,
    ReadingBuffer,
    UnreadableData,
    count_new_values,
    parse_numbers,
)
from fncast.series.step import Step


def test_windows_are_merged_by_index() -> None:
    readings = ReadingBuffer()
    assert readings.merge(0, [1, 2, 3]) == 0
    assert readings.merge(1, [2, 3, 4]) == 3
    assert readings.between(0, 3) == [1, 2, 3, 4]


def test_a_later_value_replaces_and_a_null_does_not() -> None:
    readings = ReadingBuffer()
    readings.merge(0, [1, None, 3])
    assert readings.merge(0, [None, 2, 5]) == 1
    assert readings.between(0, 2) == [1, 2, 5]


def test_a_window_without_new_values_changes_nothing() -> None:
    readings = ReadingBuffer()
    readings.merge(0, [1, 2, 3])
    assert readings.merge(1, [2, 3]) is None


def test_gaps_and_late_older_readings_are_kept() -> None:
    readings = ReadingBuffer()
    readings.merge(10, [1, 2])
    readings.merge(14, [5])
    assert readings.merge(8, [8, 9, 1]) == 8
    assert readings.between(8, 14) == [8, 9, 1, 2, None, None, 5]


def test_old_readings_are_dropped() -> None:
    readings = ReadingBuffer()
    readings.merge(0, [0.0] * (3 * MAX_READINGS))
    assert (len(readings), readings.newest) == (MAX_READINGS, 3 * MAX_READINGS - 1)
    assert readings.merge(0, [7.0]) is None
    readings.merge(10**15, [1.0])
    assert (len(readings), readings.newest) == (1, 10**15)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.lists(st.none() | st.integers(0, 9), max_size=30)), max_size=20)
)
def test_merging_equals_writing_each_value_to_its_index(
    windows: list[tuple[int, list[float | None]]],
) -> None:
    readings, plain = ReadingBuffer(), dict[int, float]()
    for start, values in windows:
        readings.merge(start, values)
        plain.update({start + n: value for n, value in enumerate(values) if value is not None})
    for index in range(100):
        assert readings.at(index) == plain.get(index)


def test_the_last_known_reading_before_an_index_is_found() -> None:
    readings = ReadingBuffer()
    readings.merge(0, [None, 1, None, None])
    assert (readings.last_known(3), readings.last_known(0), readings.last_known(99)) == (1, None, 1)


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


@pytest.mark.parametrize("values", [None, "1", [True], ["1"], [1e308], [float("inf")], [{}]])
def test_values_that_are_not_numbers_raise(values: object) -> None:
    with pytest.raises(UnreadableData):
        parse_numbers(values, 10)


@pytest.mark.parametrize(
    ("known", "window", "added"),
    [
        ([], [1, 2, 3], 3),
        ([1, 2, 3], [2, 3, 4], 1),
        ([1, 2, 3], [3, 4, 5], 2),
        ([1, 2, 3], [7, 8, 9], 3),
        ([1, 2, 3], [1, 2, 3], 0),
        ([5, 5, 5], [5, 5, 5], 1),
    ],
)
def test_new_values_of_windows_without_times_are_counted(
    known: list[float], window: list[float], added: int
) -> None:
    assert count_new_values(known, window) == added
