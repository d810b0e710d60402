from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.produce.reading import Reading
from fncast.produce.windows import MAX_WINDOW, ProducedWindow, SlidingWindow
from fncast.series.step import Step

START = datetime(2026, 1, 1, tzinfo=UTC)
STEP = Step.seconds(300)


def reading(index: int, value: float) -> Reading:
    return Reading("cpu", index, START + timedelta(seconds=300 * index), STEP, value, "%")


def windows(sliding: SlidingWindow, readings: list[Reading]) -> list[ProducedWindow]:
    return [window for reading in readings if (window := sliding.add(reading)) is not None]


def test_a_window_slides_with_every_reading() -> None:
    found = windows(SlidingWindow(3), [reading(i, float(i)) for i in range(5)])
    assert [window.values for window in found] == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert found[1].start == START + timedelta(seconds=300)
    assert found[1].end == START + timedelta(seconds=900)
    assert [window.index for window in found] == [2, 3, 4]
    assert (found[0].series, found[0].unit, found[0].step) == ("cpu", "%", STEP)


def test_a_window_comes_with_every_kth_reading() -> None:
    found = windows(SlidingWindow(4, every=3), [reading(i, float(i)) for i in range(12)])
    assert [window.index for window in found] == [3, 6, 9]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_reading_that_is_not_finite_is_missing(value: float) -> None:
    found = windows(SlidingWindow(2), [reading(0, 1.0), reading(1, value)])
    assert found[0].values == [1.0, None]


def test_skipped_readings_are_missing() -> None:
    found = windows(SlidingWindow(3), [reading(0, 0.0), reading(1, 1.0), reading(3, 3.0), reading(4, 4.0)])
    assert [window.values for window in found] == [[1.0, None, 3.0], [None, 3.0, 4.0]]
    assert found[1].start == START + timedelta(seconds=600)


def test_a_gap_as_long_as_the_window_empties_it() -> None:
    found = windows(SlidingWindow(2), [reading(0, 0.0), reading(1, 1.0), reading(4, 4.0), reading(5, 5.0)])
    assert [window.values for window in found] == [[0.0, 1.0], [4.0, 5.0]]
    assert found[1].start == START + timedelta(seconds=1200)


def test_a_reading_that_is_not_newer_raises() -> None:
    sliding = SlidingWindow(2)
    sliding.add(reading(5, 1.0))
    with pytest.raises(ValueError, match="reading 5 of cpu comes after reading 5"):
        sliding.add(reading(5, 1.0))


@pytest.mark.parametrize(("steps", "every"), [(0, 1), (MAX_WINDOW + 1, 1), (3, 0)])
def test_numbers_out_of_range_raise(steps: int, every: int) -> None:
    with pytest.raises(ValueError, match="readings"):
        SlidingWindow(steps, every)


@given(
    steps=st.integers(1, 8),
    every=st.integers(1, 5),
    indices=st.lists(st.integers(0, 60), unique=True, max_size=30).map(sorted),
)
def test_a_window_holds_the_readings_up_to_its_last(steps: int, every: int, indices: list[int]) -> None:
    for window in windows(SlidingWindow(steps, every), [reading(i, float(i)) for i in indices]):
        grid = range(window.index - steps + 1, window.index + 1)
        assert window.values == [float(i) if i in indices else None for i in grid]
        assert window.start == START + timedelta(seconds=300 * grid[0])
        assert (window.index + 1 - steps) % every == 0
