"""What the forecasts of a series predict for one of its readings."""

from __future__ import annotations

from collections.abc import Collection

from fncast.monitor.anomalies.figures import Expectation
from fncast.monitor.joining.pending import FAR, NEAR, PendingForecasts
from fncast.monitor.joining.recent_readings import RecentReadings


def expectations(
    forecasts: Collection[PendingForecasts], readings: RecentReadings, index: int
) -> tuple[Expectation | None, Expectation | None]:
    """What the last and the first forecast that include a step predict for it.

    forecasts: those of each model. index: of the step. Returns None for both without a forecast, or if the reading
    before the last forecast is unknown, as after a gap.
    """
    near = far = None
    near_start = far_start = 0
    for pending in forecasts:
        start = pending.forecast_start(NEAR, index)
        if start is not None and (near is None or start > near_start):
            near, near_start = pending, start
        start = pending.forecast_start(FAR, index)
        if start is not None and (far is None or start < far_start):
            far, far_start = pending, start
    if near is None or far is None or near_start - 1 not in readings:
        return None, None
    return _expectation(near, NEAR, index), _expectation(far, FAR, index)


def _expectation(pending: PendingForecasts, which: int, index: int) -> Expectation:
    low, median, high = pending.forecast_row(which, index)
    return Expectation(median, low, high)
