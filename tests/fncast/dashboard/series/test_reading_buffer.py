"""Overlapping windows become one sequence of readings."""

from hypothesis import given
from hypothesis import strategies as st

from fncast.dashboard.series.reading_buffer import MAX_READINGS, ReadingBuffer


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
