"""The step of a series is found from the times of its first readings."""

from __future__ import annotations

import pytest

from tests.interceptor.assembly.single_feed import Feed


@pytest.mark.parametrize(
    ("gap", "step"),
    [
        *((1, "PT1S"), (9.4, "PT10S"), (59.9, "PT1M"), (900, "PT15M"), (86_400, "P1D"), (604_800, "P7D")),
        *((0.25, "PT0.25S"), (7, "PT7S"), (45, "PT45S"), (2_592_000, "P1M"), (31_536_000, "P1Y")),
    ],
)
def test_the_step_is_found_from_the_first_eight_gaps(gap: float, step: str) -> None:
    feed = Feed(step=None)
    found = [window for at in range(9) for window in feed.add(at * gap, float(at))]
    assert [str(window.step) for window in found] == [step]


def test_readings_that_jitter_have_the_step_between_them() -> None:
    feed = Feed(step=None)
    found = [window for at in range(30) for window in feed.add(10 * at + (-2, 0, 2, -1, 1)[at % 5], 1.0)]
    assert {str(window.step) for window in found} == {"PT10S"}
    assert set(found[-1].values) == {1.0}


def test_repeats_and_disorder_do_not_change_the_step() -> None:
    feed = Feed(step=None, window=9)
    assert feed.values(0, 0, 20, 10, 40, 30, 30, 60, 50, 80) == []
    assert feed.values(70) == []  # the newest step was complete before the grid was known
    assert feed.values(90) == [[10, 20, 30, 40, 50, 60, 70, 80, 90]]


def test_an_irregular_series_keeps_its_step() -> None:
    feed = Feed(step=None, window=20)
    times = [at * 10 for at in range(10)]
    for at in range(60):
        times.append(times[-1] + (3 if at % 2 else 41))
    found = [window for time in times for window in feed.add(time, float(time))]
    assert {str(window.step) for window in found} == {"PT10S"}
    assert len(found) > 30


def test_a_series_whose_readings_all_have_one_time_gets_no_forecast() -> None:
    feed = Feed(step=None)
    for _ in range(100):
        assert feed.add(0, 1.0) == []
    assert feed.outcome == "repeated"
