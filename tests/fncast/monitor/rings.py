"""Forecasts and readings in their rings, for tests that join them."""

from __future__ import annotations

from fncast.monitor.joining.packed_forecast import pack
from fncast.monitor.joining.pending import PendingForecasts
from fncast.monitor.joining.recent_readings import RecentReadings


def pending(horizon: int, *starts: int) -> PendingForecasts:
    """Forecasts whose median at each step is 100 times the start plus the step, with a band of 1 to both sides."""
    found = PendingForecasts(horizon, 8)
    for start in starts:
        medians = [100.0 * start + step for step in range(horizon)]
        columns = [[m - 1 for m in medians], medians, [m + 1 for m in medians]]
        found.add(start, pack(columns, found.digits), 0)
    return found


def readings(*indices: int) -> RecentReadings:
    """Readings whose value is their index."""
    known = RecentReadings(0, 20)
    for index in indices:
        known[index] = float(index)
    return known
