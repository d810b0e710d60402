"""Rolling-origin backtests: at each origin a method sees only the readings before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fncast.series.time_series import TimeSeries
from fncast.series.window import MAX_MAGNITUDE, Float64Array, InvalidWindow, bridge


@dataclass(frozen=True)
class Backtest:
    """The origins of one series.

    at: (origins,) index of the first reading to forecast. windows: (origins, window) readings before the origin, with
    gaps bridged as in events. actuals: (origins, horizon), NaN if missing. before: index at which the test part begins.
    left_out: number of origins without a valid window or without any reading to compare with.
    """

    series: TimeSeries
    before: int
    at: NDArray[np.int64]
    windows: Float64Array
    actuals: Float64Array
    left_out: int

    def __len__(self) -> int:
        return len(self.at)


def rolling_origins(series: TimeSeries, window: int, horizon: int, before: int, stride: int) -> Backtest:
    """A backtest with origins at `before`, `before + stride`, … as long as a whole horizon of readings follows.

    window, horizon, stride: in steps. before: an index of the series. With fewer than `window` readings before it, the
    first origin is at `window`. Windows that cannot be forecast are left out.
    """
    at, windows, actuals, left_out = [], [], [], 0
    for origin in range(max(before, window), len(series) - horizon + 1, stride):
        actual = series.values[origin : origin + horizon]
        try:
            if np.isnan(actual).all():
                raise InvalidWindow("no reading to compare with")
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
    """Fill gaps by linear interpolation; gaps at the ends repeat the nearest reading.

    values: (n,) readings before an origin, so that later readings have no influence. Raises ValueError if all are
    missing.
    """
    missing = np.isnan(values)
    if not missing.any():
        return values
    if missing.all():
        raise ValueError("every reading is missing")
    at = np.arange(len(values))
    return np.interp(at, at[~missing], values[~missing])
