"""Naive methods for comparison. Each returns (origins, horizon, 3) for the quantiles 0.1, 0.5, 0.9."""

from __future__ import annotations

import numpy as np

from fncast.series.window import Float64Array
from model_service.training.evaluation.backtest import Backtest, bridge_with_nearest
from model_service.training.settings import QUANTILES

# The default of `last_readings`: one hour of 5-minute readings.
LAST_COUNT = 12


def last_value(backtest: Backtest) -> Float64Array:
    """The last reading, for every step and quantile."""
    return _same(backtest.windows[:, -1:].repeat(backtest.actuals.shape[1], axis=1))


def seasonal_naive(backtest: Backtest, season: int) -> Float64Array:
    """The readings one season (in steps) before, repeated; the last reading where there is no whole season before.

    A missing reading is bridged by its neighbours before the origin.
    """
    values = backtest.series.values
    steps = np.arange(backtest.actuals.shape[1])
    forecasts = np.empty(backtest.actuals.shape)
    for row, origin in enumerate(backtest.at):
        past = values[:origin]
        if origin < season:
            forecasts[row] = backtest.windows[row, -1]
            continue
        season_ago = past[origin - season :][steps % season]
        if np.isnan(season_ago).any():  # bridged with readings before the origin only
            season_ago = bridge_with_nearest(past)[origin - season :][steps % season]
        forecasts[row] = season_ago
    return _same(forecasts)


def last_readings(backtest: Backtest, count: int = LAST_COUNT) -> Float64Array:
    """The quantiles of the last `count` readings, the same for every step."""
    quantiles = np.quantile(backtest.windows[:, -count:], QUANTILES, axis=1).T
    return np.repeat(quantiles[:, np.newaxis, :], backtest.actuals.shape[1], axis=1)


def _same(point: Float64Array) -> Float64Array:
    """The same forecast for each quantile. point: (origins, horizon)."""
    return np.repeat(point[:, :, np.newaxis], len(QUANTILES), axis=2)
