"""Limits of forecasts: those of the event, else 0 for a series that was never negative and 100 for a percentage."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fncast.series.window import PERCENT, Float64Array, ceiling_of, floor_of
from fncast.series.window_data import EventReadings
from model_service.protocols.tensor_calls import WindowRows


def cut_at_limits(
    values: Float64Array, windows: Float64Array, readings: Sequence[EventReadings]
) -> Float64Array:
    """The forecasts, cut at the limits of their series. Quantiles stay in order.

    values: (batch, quantiles, horizon); NaN stays NaN. windows: (batch, steps), the input of the model.
    readings: those of the events, which may be longer than the windows.
    """
    low, high = floor_of(windows), ceiling_of(windows)
    steps = windows.shape[1]
    for row, reading in enumerate(readings):
        if reading.low is not None:
            low[row] = reading.low
        elif len(reading.values) > steps and low[row] == 0 and _was_negative(reading.values[:-steps]):
            low[row] = -math.inf
        if reading.high is not None:
            high[row] = reading.high
        elif reading.low is not None or (
            len(reading.values) > steps and high[row] == PERCENT and _was_above(reading.values[:-steps])
        ):
            high[row] = math.inf
    cut: Float64Array = np.maximum(low[:, None, None], values)
    return np.minimum(high[:, None, None], cut) if np.isfinite(high).any() else cut


def cut_rows_at_limits(values: Float64Array, windows: Float64Array, rows: WindowRows) -> Float64Array:
    """As `cut_at_limits`, for windows from a tensor. rows: the windows that were scored, with all of their readings."""
    was_negative = np.any(rows.values < 0, axis=1)
    low = np.where(np.isnan(rows.low), np.where(was_negative, -math.inf, 0.0), rows.low)
    may_be_share = np.isnan(rows.low) & ~np.any(rows.values > PERCENT, axis=1)
    ceiling = np.where(may_be_share, ceiling_of(windows), math.inf)
    high = np.where(np.isnan(rows.high), ceiling, rows.high)
    cut: Float64Array = np.maximum(low[:, None, None], values)
    return np.minimum(high[:, None, None], cut) if np.isfinite(high).any() else cut


def _was_negative(values: Sequence[object]) -> bool:
    """values: unchecked, because the model does not get them."""
    return any(isinstance(value, int | float) and value < 0 for value in values)


def _was_above(values: Sequence[object]) -> bool:
    """values: as in `_was_negative`."""
    return any(isinstance(value, int | float) and value > PERCENT for value in values)
