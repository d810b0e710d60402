"""Cumulative counters become rates per second."""

from __future__ import annotations

from array import array

from interceptor.assembly.grid import Grid

_NS = 1_000_000_000


def rates(values: array[float], first_index: int, grid: Grid) -> array[float]:
    """The rate of each step but the first, oldest first; NaN where the step, or all earlier ones, have no reading.

    values: the counter's readings, NaN for a missing one. first_index: the step of the first value. The increase over
    missing steps is spread evenly, and the next step with a reading has its rate. After a reset the counter counts
    from 0.
    """
    found = array("d")
    previous: float | None = None
    previous_index = 0
    for index, value in enumerate(values, first_index):
        rate = float("nan")
        if value == value:
            if previous is not None:
                increase = value - previous if value >= previous else value
                rate = increase / _seconds_between(previous_index, index, grid)
            previous, previous_index = value, index
        found.append(rate)
    return found[1:]


def _seconds_between(earlier: int, later: int, grid: Grid) -> float:
    if grid.step_ns:
        return (later - earlier) * grid.step_ns / _NS
    return (grid.start_ns(later) - grid.start_ns(earlier)) / _NS
