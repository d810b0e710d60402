from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice, pairwise

import numpy as np
import pytest

from fncast.produce.live import live_windows
from fncast.produce.rate_limiter import RateLimiter
from fncast.produce.reading import Reading
from fncast.produce.replay import ReplayFeed, readings
from fncast.produce.windows import SeriesWindow
from fncast.series.series import Series
from fncast.series.step import Step

START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """Time that passes only while something sleeps."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.now_s += seconds


class Meter:
    """Tells its tick; cannot tell what it missed."""

    recalls = False
    interval_s = 0.5

    def read(self, tick: int) -> list[Reading]:
        return [Reading("meter", tick, START, Step.seconds(0.5), float(tick))]


def series(*values: float) -> Series:
    return Series("taxi", START, Step.seconds(1800), np.array(values))


def playing(
    clock: Clock, *feeds: Meter | ReplayFeed, since_s: float = 1_000.0, window: int = 3
) -> Iterator[SeriesWindow]:
    return live_windows(feeds, window=window, every=1, since_s=since_s, clock=clock, sleep=clock.sleep)


def test_a_recording_has_its_first_window_at_once_and_begins_again_at_its_end() -> None:
    clock = Clock()
    found = list(islice(playing(clock, ReplayFeed([series(0, 1, 2, 3)])), 4))
    assert [window.values for window in found] == [[0, 1, 2], [1, 2, 3], [2, 3, 0], [3, 0, 1]]
    assert [(after.end - before.end).total_seconds() for before, after in pairwise(found)] == [1800] * 3
    assert clock.now_s == pytest.approx(1_000.6)


def test_started_anew_it_goes_on_where_it_should_be_by_now() -> None:
    clock = Clock()
    clock.now_s += 0.2 * 10
    first = next(playing(clock, ReplayFeed([series(*range(100))])))
    assert first.values == [10, 11, 12]


def test_a_meter_fills_its_window_first_and_misses_what_it_slept_through() -> None:
    clock = Clock()
    windows = playing(clock, Meter())
    assert next(windows).values == [0, 1, 2]
    clock.now_s += 1.0
    assert next(windows).values == [2, None, 4]


def test_a_recording_catches_up_but_not_in_a_flood() -> None:
    clock = Clock()
    windows = playing(clock, ReplayFeed([series(*range(10_000))]))
    next(windows)
    clock.now_s += 0.4
    assert [window.index for window in islice(windows, 2)] == [3, 4]
    clock.now_s += 1_000
    assert next(windows).index > 4_990


def test_readings_of_a_series_once() -> None:
    found = list(readings(series(5, np.nan)))
    assert [(one.index, one.time.minute) for one in found] == [(0, 0), (1, 30)]
    assert np.isnan(found[1].value)


def test_events_keep_their_schedule_and_a_hold_up_is_made_up_for_in_part() -> None:
    clock = Clock()
    pace = RateLimiter(10, clock=clock, sleep=clock.sleep)
    for _ in range(11):
        pace.wait()
    assert clock.now_s == pytest.approx(1_001.0)
    clock.now_s += 5.0
    clock.slept.clear()
    for _ in range(30):
        pace.wait()
    assert sum(clock.slept) == pytest.approx(1.9)  # 30 events take 2.9 s, one second of them at once


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_a_rate_is_positive(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        RateLimiter(rate)
