"""Finds the step of a series from the times of its first readings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from fncast.series.step import LAST_DAY, Step
from interceptor.assembly.grid import Grid, around, period_ns
from interceptor.readings.times import to_datetime

NEEDED = 9  # different reading times: 8 gaps
_NS = 1_000_000_000
_MINUTE, _HOUR, _DAY = 60 * _NS, 3600 * _NS, 86_400 * _NS
# Steps that are used in practice. A gap within 10 % of one of them is that step.
_USUAL = (
    *(seconds * _NS for seconds in (1, 2, 5, 10, 15, 20, 30)),
    *(minutes * _MINUTE for minutes in (1, 2, 3, 5, 10, 15, 20, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 4, 6, 8, 12)),
    _DAY,
    7 * _DAY,
)
# By months: the shortest and the longest such step. A day more on both sides, for the time zone of the readings.
_CALENDAR = ((1, 27 * _DAY, 32 * _DAY), (3, 88 * _DAY, 94 * _DAY), (12, 364 * _DAY, 367 * _DAY))
_MILLISECOND = 1_000_000
_REGULAR_SHARE = 0.75  # of the gaps of a regular series lie within a quarter of its step


def find_step(times_ns: Sequence[int]) -> Step:
    """The step of readings at these times, at least two different ones, ascending."""
    gap_ns = _usual_gap([later - earlier for earlier, later in pairwise(times_ns)])
    for months, shortest, longest in _CALENDAR:
        if shortest <= gap_ns <= longest:
            days = [to_datetime(time_ns).day for time_ns in times_ns]
            return Step.of_months(months, LAST_DAY if min(days) >= 28 and len(set(days)) > 1 else None)
    for usual_ns in _USUAL:
        if 10 * abs(gap_ns - usual_ns) <= usual_ns:
            return Step.seconds(usual_ns / _NS)
    unit_ns = _NS if gap_ns >= 10 * _NS else _MILLISECOND
    return Step.seconds(max(unit_ns, (gap_ns + unit_ns // 2) // unit_ns * unit_ns) / _NS)


def find_grid(step: Step, times_ns: Sequence[int]) -> Grid:
    """The grid with this step on which most of the readings lie near the middle of their steps.

    times_ns: different and ascending.
    """
    if step.months is not None:
        return around(step, times_ns[0])
    step_ns = period_ns(step)
    center_ns = times_ns[0]
    if any((time_ns - center_ns) % step_ns for time_ns in times_ns):
        half_ns = step_ns // 2

        def distance_ns(center_ns: int) -> int:
            return sum([abs((time_ns - center_ns + half_ns) % step_ns - half_ns) for time_ns in times_ns])

        center_ns = min(times_ns, key=distance_ns)
    unit_ns = _MILLISECOND if step_ns >= _NS else 1000
    return around(step, (center_ns + unit_ns // 2) // unit_ns * unit_ns)


def is_regular(times_ns: Sequence[int], step: Step) -> bool:
    """Whether most gaps between the readings are about one step."""
    if step.months is not None:
        return True
    step_ns = period_ns(step)
    gaps = [later - earlier for earlier, later in pairwise(times_ns)]
    return sum([4 * abs(gap - step_ns) <= step_ns for gap in gaps]) >= _REGULAR_SHARE * len(gaps)


def _usual_gap(gaps_ns: list[int]) -> int:
    """The mean of the gaps near their median: without missing readings, and with little of the readings' jitter."""
    median_ns = _median(gaps_ns)
    near = [gap_ns for gap_ns in gaps_ns if 2 * abs(gap_ns - median_ns) <= median_ns]
    return (sum(near) + len(near) // 2) // len(near) if near else median_ns


def _median(gaps_ns: list[int]) -> int:
    gaps_ns.sort()
    middle = len(gaps_ns) // 2
    return gaps_ns[middle] if len(gaps_ns) % 2 else (gaps_ns[middle - 1] + gaps_ns[middle]) // 2
