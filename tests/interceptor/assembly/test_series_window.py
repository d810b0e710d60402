"""The window of one series: late, repeated, old and wrong readings, gaps, and the turn of each step."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from fncast.series.step import Step
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.series_window import MAX_BEHIND
from interceptor.readings.telegraf import TelegrafJson
from tests.interceptor.assembly.partitions import NEW_YEAR_S, NS, Names, decoded
from tests.interceptor.assembly.single_feed import Feed


def test_a_late_reading_fills_its_step_without_a_forecast() -> None:
    feed = Feed(grace_ns=20 * NS)
    feed.values(0, 10, 30)
    assert feed.add(20, 2.0) == []
    assert feed.outcome == "corrected"
    assert feed.values(40) == [[None, 0, 10, 2, 30, 40]]
    feed.values(60)
    assert feed.add(30, 3.0) == []
    assert feed.outcome == "late"
    assert feed.values(70) == [[2, 3, 40, None, 60, 70]]


def test_a_repeat_changes_nothing_and_another_value_wins() -> None:
    feed = Feed()
    feed.values(0, 10)
    assert feed.add(10, 10.0) == []
    assert feed.outcome == "repeated"
    assert feed.add(10, 11.0) == []
    assert feed.outcome == "corrected"
    assert feed.values(20) == [[None, None, None, 0, 11, 20]]


def test_a_reading_before_the_window_is_dropped() -> None:
    feed = Feed()
    feed.values(0, 10, 100)
    assert feed.add(40, 1.0) == []
    assert feed.outcome == "too-old"


@pytest.mark.guarantee("a producer whose clock was ahead does not silence its series")
def test_a_series_whose_clock_was_ahead_begins_again() -> None:
    """The records had the wrong clock as well, so nothing could show it before the clock was corrected."""
    feed = Feed()
    feed.values(0, 10, 10**6, 10**6 + 10)
    for step in range(2, MAX_BEHIND + 1):
        assert feed.values(10 * step) == []
        assert feed.outcome == "too-old"
    assert feed.values(170) == []
    assert feed.outcome == "begun-again"
    assert feed.values(180, 190) == [[None] * 4 + [170, 180], [None] * 3 + [170, 180, 190]]


def test_one_reading_near_the_newest_shows_that_its_clock_is_right() -> None:
    """Two producers: the clock of one is behind."""
    feed = Feed()
    for step in range(3 * MAX_BEHIND):
        feed.values(10**6 + 10 * (step // 8), 10 * step)
        assert feed.outcome == "too-old"


def test_old_readings_in_new_records_do_not_begin_again() -> None:
    feed = Feed()
    feed.values(0, 10, 10**6)
    for step in range(3 * MAX_BEHIND):
        assert feed.add(10 * step, 1.0, record=10**6 + step) == []
        assert feed.outcome == "too-old"
    assert feed.values(10**6 + 10) == [[None] * 4 + [10**6, 10**6 + 10]]


def test_a_gap_longer_than_the_window_empties_it() -> None:
    feed = Feed()
    feed.values(0, 10, 20)
    assert feed.values(80) == []
    assert feed.values(90) == [[None] * 4 + [80, 90]]


def test_every_second_step_is_forecast_if_set() -> None:
    assert [values[-1] for values in Feed(every=2).values(*range(0, 80, 10))] == [10, 30, 50, 70]
    # Steps without a reading count: a gap does not delay the next forecast.
    assert [values[-1] for values in Feed(every=2).values(0, 10, 50, 60, 70)] == [10, 50, 70]


def test_a_series_takes_less_than_1_kb_beside_its_name() -> None:
    names, window, start = 300, 48, 1_767_225_600
    format_ = TelegrafJson()
    record = (
        '{"name":"cpu","tags":{"host":"web-%d","cpu":"cpu-total"},"fields":{"usage_idle":1.5},"timestamp":%d}'
    )
    history = [
        format_.decode((record % (series, start + 10 * step)).encode(), None, [], 0)
        for step in range(window + 1)
        for series in range(names)
    ]
    windows = PartitionWindows(format_, Rules(window=window), "telegraf")
    gc.collect()
    tracemalloc.start()
    for offset, readings in enumerate(history):
        windows.add(readings, 0, offset)
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(windows.series) == names
    assert used / names < 1024 + 100  # 100: the name


@pytest.mark.parametrize("aggregate", ["last", "sum"])
def test_one_record_of_a_wrong_clock_does_not_empty_a_window(aggregate: str) -> None:
    """Its timestamp is wrong as well, and it has more readings than the records that must agree."""
    rules = Rules(window=6, minimum=2, step=Step.seconds(10), aggregate=aggregate)
    partition = PartitionWindows(Names(), rules, "t")
    partition.add(decoded([("s", NEW_YEAR_S, 1.0)]), NEW_YEAR_S * 1000, 0)
    day_before_s = NEW_YEAR_S - 86_400
    readings = [("s", day_before_s + 10 * step, 2.0) for step in range(3 * MAX_BEHIND)]
    for offset in range(1, MAX_BEHIND):
        partition.add(decoded(readings), day_before_s * 1000, offset)
    assert partition.outcomes["begun-again"] == 0
    partition.add(decoded(readings), day_before_s * 1000, MAX_BEHIND)
    assert partition.outcomes["begun-again"] == 1
