"""Counters become rates per second."""

from __future__ import annotations

from tests.interceptor.assembly.partitions import plain
from tests.interceptor.assembly.single_feed import Feed


def test_a_counter_becomes_a_rate() -> None:
    feed = Feed(is_counter=True, window=4)
    feed.add(0, 100.0)
    feed.add(10, 150.0)
    ((*_, values),) = plain(feed.add(20, 170.0))
    assert values == [None, None, 5.0, 2.0]
    ((*_, values),) = plain(feed.add(30, 30.0))  # a reset: 30 since then
    assert values == [None, 5.0, 2.0, 3.0]
    (window,) = feed.add(50, 70.0)  # 40 in two steps
    assert plain([window])[0][3] == [2.0, 3.0, None, 2.0]
    assert window.unit == "B/s"


def test_a_counter_keeps_its_values_with_rate_off() -> None:
    feed = Feed(is_counter=True, rate="off")
    feed.add(0, 100.0)
    ((*_, values),) = plain(feed.add(10, 150.0))
    assert values[-2:] == [100.0, 150.0]
