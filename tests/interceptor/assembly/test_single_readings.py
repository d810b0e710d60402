"""One reading per step: what becomes of each reading, and how the step is found."""

from __future__ import annotations

import math

import pytest

from tests.interceptor.assembly.partitions import NEW_YEAR_S, NS, plain
from tests.interceptor.assembly.single_feed import Feed


def test_a_step_is_complete_with_its_reading() -> None:
    feed = Feed()
    assert feed.values(0, 10, 20) == [[None] * 4 + [0, 10], [None] * 3 + [0, 10, 20]]
    (window,) = feed.add(30, 30.0)
    assert (window.start, window.end_ns) == ("2025-12-31T23:59:40Z", (NEW_YEAR_S + 30) * NS)
    assert (window.series, str(window.step), window.labels, window.unit) == ("s", "PT10S", {"name": "s"}, "B")


def test_a_wrong_clock_does_not_move_the_window() -> None:
    feed = Feed()
    feed.values(0, 10)
    assert feed.add(10**6, 1.0, record=20) == []
    assert feed.outcome == "future"
    assert feed.values(20) == [[None, None, None, 0, 10, 20]]


@pytest.mark.parametrize("value", [1.1e18, -1.1e18, math.nan, math.inf])
def test_a_value_that_no_model_takes_is_dropped(value: float) -> None:
    feed = Feed()
    assert feed.add(0, value) == []
    assert feed.outcome == "too-large"


def test_the_step_is_found_again_when_the_producer_changes_it() -> None:
    feed = Feed(step=None, window=20)
    feed.values(*range(0, 600, 60))
    found = [window for at in range(600, 900, 10) for window in feed.add(at, float(at))]
    assert str(found[-1].step) == "PT10S"
    assert plain(found[-1:])[0][3][-9:] == [float(at) for at in range(810, 900, 10)]
    found = [window for at in range(900, 3000, 60) for window in feed.add(at, float(at))]
    assert str(found[-1].step) == "PT1M"


def test_readings_that_move_to_the_edge_of_their_steps_move_the_grid() -> None:
    feed = Feed(step=None, window=8)
    feed.values(*range(0, 200, 10))
    shifted = [205 + at * 10 + (-1, 1)[at % 2] for at in range(40)]
    found = feed.values(*shifted)
    assert None not in found[-1]
    assert found[-1] == shifted[-8:]
