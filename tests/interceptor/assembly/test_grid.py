"""The grid of a series: which step a time belongs to, and when a step is."""

from __future__ import annotations

from fncast.series.step import Step
from tests.interceptor.assembly.partitions import plain
from tests.interceptor.assembly.single_feed import Feed


def test_calendar_months() -> None:
    feed = Feed(step=Step.parse("P1M"))
    days = [0, 31, 59, 90]  # the first days of January to April
    found = [window for day in days for window in feed.add(day * 86_400, float(day))]
    assert [(window.start, plain([window])[0][3][-3:]) for window in found] == [
        ("2025-09-01T00:00:00Z", [None, 0, 31]),
        ("2025-10-01T00:00:00Z", [0, 31, 59]),
        ("2025-11-01T00:00:00Z", [31, 59, 90]),
    ]
    assert b'"step":"P1M"' in found[0].to_json()


def test_readings_lie_in_the_middle_of_their_steps() -> None:
    feed = Feed(step=None, window=12)
    times = [at * 10 + 7 for at in range(9)]
    feed.values(*times)
    # Up to half a step too early or too late, a reading still counts for its own step.
    assert feed.values(101.9)[0][-2:] == [87, 101.9]
    assert feed.values(112.1)[0][-2:] == [None, 112.1]
