"""The ring of the last readings."""

from __future__ import annotations

import math

from fncast.monitor.joining.recent_readings import RecentReadings


def filled() -> RecentReadings:
    ring = RecentReadings(-3, 5)
    ring[-3], ring[-1], ring[1] = 10.0, 12.0, 14.0
    return ring


def test_readings_are_known_by_their_step() -> None:
    ring = filled()
    assert ring.items() == [(-3, 10.0), (-1, 12.0), (1, 14.0)]
    assert [index in ring for index in (-8, -3, -2, 1, 2)] == [False, True, False, True, False]
    found = ring.between(-5, 4).tolist()
    expected = [math.nan, math.nan, 10.0, math.nan, 12.0, math.nan, 14.0, math.nan, math.nan]
    assert list(map(str, found)) == list(map(str, expected))


def test_later_readings_take_the_place_of_forgotten_ones() -> None:
    ring = filled()
    ring.forget(-1)
    ring[3] = 16.0
    assert ring.items() == [(-1, 12.0), (1, 14.0), (3, 16.0)]
    ring.forget(-3)
    assert ring.first == -1
    ring.forget(100)
    assert ring.items() == []


def test_a_larger_ring_has_the_same_readings() -> None:
    ring = filled().resized(-7, 12)
    assert ring.size == 12
    assert ring.items() == filled().items()
