"""Limits of forecasts: those that the event sets, and 0 for a series that was never negative."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fncast.series.window import Float64Array, floor_of
from fncast.series.window_data import Readings


def limited(values: Float64Array, windows: Float64Array, readings: Sequence[Readings]) -> Float64Array:
    """The forecasts, cut at the limits of their series. Quantiles stay in order.

    values: (batch, quantiles, horizon); NaN stays NaN. windows: (batch, steps), the input of the model.
    readings: those of the events, which may be longer than the windows.
    """
    low, high = floor_of(windows), None
    steps = windows.shape[1]
    for row, reading in enumerate(readings):
        if reading.low is not None:
            low[row] = reading.low
        elif len(reading.values) > steps and low[row] == 0 and _was_negative(reading.values[:-steps]):
            low[row] = -math.inf
        if reading.high is not None:
            if high is None:
                high = np.full(len(readings), math.inf)
            high[row] = reading.high
    cut: Float64Array = np.maximum(low[:, None, None], values)
    return cut if high is None else np.minimum(high[:, None, None], cut)


def _was_negative(values: Sequence[object] | Float64Array) -> bool:
    """values: a list is not checked, because the model does not get them."""
    if isinstance(values, np.ndarray):
        return bool((values < 0).any())
    return any(type(value) in (int, float) and value < 0 for value in values)  # type: ignore[operator]
