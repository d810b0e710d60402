"""What the forecasts of a series predict for one of its readings."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from fncast.monitor.figures import Expectation
from fncast.monitor.pending import PendingForecasts
from fncast.monitor.recent_readings import RecentReadings


def expectations(
    forecasts: Collection[PendingForecasts], readings: RecentReadings, horizon: int, index: int
) -> tuple[Expectation | None, Expectation | None]:
    """What the last and the first forecast that include a step predict for it.

    forecasts: by model. horizon: steps of the longest forecast. Returns None for both without a forecast, or if the
    reading before the last forecast is unknown, as after a gap.
    """
    near = _including(forecasts, range(index, index - horizon, -1), index)
    if near is None or near[1] - 1 not in readings:
        return None, None
    far = _including(forecasts, range(index - horizon + 1, index + 1), index) or near
    return _expectation(*near, index), _expectation(*far, index)


def _including(
    forecasts: Collection[PendingForecasts], starts: Iterable[int], index: int
) -> tuple[PendingForecasts, int] | None:
    """The forecast with the first of `starts` that includes a step, and its start."""
    for start in starts:
        for pending in forecasts:
            if pending.covers(start, index):
                return pending, start
    return None


def _expectation(pending: PendingForecasts, start: int, index: int) -> Expectation:
    low, median, high = pending.row(start, index - start)
    return Expectation(median, low, high)
