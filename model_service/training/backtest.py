"""Rolling origins: what a method would have forecast at each of them, from the readings before it alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fncast.series.series import Series
from fncast.series.window import MAX_MAGNITUDE, InvalidWindow, bridge

Float64Array = NDArray[np.float64]


@dataclass(frozen=True)
class Backtest:
    """The origins of one series.

    at: (origins,) index of the first reading to forecast. windows: (origins, window) readings before it, gaps
    bridged as for events. actuals: (origins, horizon), NaN where missing. before: index at which test begins.
    left_out: origins that an event would be refused at, or with nothing to compare."""

    series: Series
    before: int
    at: NDArray[np.int64]
    windows: Float64Array
    actuals: Float64Array
    left_out: int

    def __len__(self) -> int:
        return len(self.at)


def rolling_origins(series: Series, window: int, horizon: int, before: int, stride: int) -> Backtest:
    """Origins at `before`, `before + stride`, … while a whole horizon of readings is left."""
    at, windows, actuals, left_out = [], [], [], 0
    for origin in range(max(before, window), len(series) - horizon + 1, stride):
        actual = series.values[origin : origin + horizon]
        try:
            if np.isnan(actual).all():
                raise InvalidWindow("nothing to compare with")
            bridged, _ = bridge(series.values[origin - window : origin])
            if np.abs(bridged).max() > MAX_MAGNITUDE:
                raise InvalidWindow("too large")
        except InvalidWindow:
            left_out += 1
            continue
        at.append(origin)
        windows.append(bridged)
        actuals.append(actual)
    return Backtest(
        series=series,
        before=before,
        at=np.array(at, dtype=np.int64),
        windows=np.array(windows, dtype=np.float64).reshape(-1, window),
        actuals=np.array(actuals, dtype=np.float64).reshape(-1, horizon),
        left_out=left_out,
    )


def bridge_with_nearest(values: Float64Array) -> Float64Array:
    """Gaps on the line between the readings on either side, at the ends the nearest reading again.

    Given the readings before an origin, nothing after it has a part in what fills them. Raises ValueError where all
    are missing."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    if missing.all():
        raise ValueError("every reading is missing")
    at = np.arange(len(values))
    return np.interp(at, at[~missing], values[~missing])
