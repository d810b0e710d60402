"""Pairs the steps of forecasts with their readings, once these are known."""

from __future__ import annotations

import numpy as np

from fncast.monitor.accuracy.accuracy import Outcomes
from fncast.monitor.accuracy.leads import measured_leads
from fncast.monitor.joining.lead_rings import Int64Array
from fncast.monitor.joining.pending import PendingForecasts
from fncast.monitor.joining.recent_readings import RecentReadings
from fncast.series.window import Float64Array


def outcomes(
    pending: PendingForecasts,
    readings: RecentReadings,
    indices: Int64Array,
    times_s: Float64Array,
    season: int,
) -> Outcomes:
    """The outcomes of some readings at all measured leads of one model's forecasts.

    indices: (n,) of known readings, ascending and close together, that `pending` still needs. times_s: (n,) their
    times, in seconds since 1970. season: steps of a day; 0 without seasonal naive.
    """
    has_forecast, quantiles = pending.by_lead(indices)
    steps_ahead = measured_leads(pending.horizon) - 1  # 0 for a forecast's first step
    first = int(indices[0]) - pending.horizon - season
    known = readings.between(first, int(indices[-1]) + 1)
    at = indices[:, np.newaxis] - first
    start = at - steps_ahead  # of the forecast
    last = known[start - 1]
    # The last day before the start, at the same time of the day as the reading.
    seasonal = known[start - season + steps_ahead % season] if season else None
    return Outcomes(has_forecast & ~np.isnan(last), times_s, known[at[:, 0]], last, quantiles, seasonal)
