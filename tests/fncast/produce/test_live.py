from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice, pairwise

import numpy as np
import pytest

from fncast.produce.live import live_readings, live_windows
from fncast.produce.reading import Reading
from fncast.produce.replay import ReplayFeed
from fncast.produce.windows import ProducedWindow
from fncast.series.step import Step
from fncast.series.time_series import TimeSeries
from tests.fncast.produce.clock import Clock

START = datetime(2026, 1, 1, tzinfo=UTC)


class Meter:
    """A feed whose readings are the tick numbers. It cannot return past readings."""

    is_recorded = False
    interval_s = 0.5

    def read(self, tick: int) -> list[Reading]:
        return [Reading("meter", tick, START, Step.seconds(0.5), float(tick))]


def series(*values: float) -> TimeSeries:
    return TimeSeries("taxi", START, Step.seconds(1800), np.array(values))


def playing(
    clock: Clock, *feeds: Meter | ReplayFeed, since_s: float = 1_000.0, window: int = 3
) -> Iterator[ProducedWindow]:
    return live_windows(feeds, window=window, every=1, since_s=since_s, clock=clock, sleep=clock.sleep)


def test_a_recording_starts_at_once_and_repeats() -> None:
    clock = Clock()
    found = list(islice(playing(clock, ReplayFeed([series(0, 1, 2, 3)])), 4))
    assert [window.values for window in found] == [[0, 1, 2], [1, 2, 3], [2, 3, 0], [3, 0, 1]]
    assert [(after.end - before.end).total_seconds() for before, after in pairwise(found)] == [1800] * 3
    assert clock.now_s == pytest.approx(1_000.6)


def test_a_restarted_recording_continues_at_the_current_tick() -> None:
    clock = Clock()
    clock.now_s += 0.2 * 10
    first = next(playing(clock, ReplayFeed([series(*range(100))])))
    assert first.values == [10, 11, 12]


def test_a_meter_fills_its_window_first_and_misses_past_ticks() -> None:
    clock = Clock()
    windows = playing(clock, Meter())
    assert next(windows).values == [0, 1, 2]
    clock.now_s += 1.0
    assert next(windows).values == [2, None, 4]


def test_a_recording_catches_up_within_limits() -> None:
    clock = Clock()
    windows = playing(clock, ReplayFeed([series(*range(10_000))]))
    next(windows)
    clock.now_s += 0.4
    assert [window.index for window in islice(windows, 2)] == [3, 4]
    clock.now_s += 1_000
    assert next(windows).index > 4_990


def test_single_readings_of_all_feeds_come_as_time_passes() -> None:
    clock = Clock()
    feeds = [Meter(), ReplayFeed([series(5, 6)])]
    found = live_readings(feeds, history=3, since_s=1_000.0, clock=clock, sleep=clock.sleep)
    assert [(reading.series, reading.value) for reading in islice(found, 6)] == [
        ("meter", 0.0),
        *[("taxi", 5.0), ("taxi", 6.0), ("taxi", 5.0)],  # the history of the recording
        *[("taxi", 6.0), ("taxi", 5.0)],
    ]
