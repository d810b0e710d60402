"""The methods that the base model is compared with, and the measures. Each forecasts nine quantiles of many windows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from fncast import models
from fncast.series.window import Float64Array
from model_service.training.base.forecaster import BaseForecaster
from model_service.training.base.shape import QUANTILES

# From windows (count, readings), NaN if missing, and a horizon to (count, horizon, quantiles).
Method = Callable[[Float64Array, int], Float64Array]

BASE = "base model"
DAY = 24
LOW, MIDDLE, HIGH = 0, 4, 8  # of the nine quantiles


def base_method() -> Method:
    """The base model that comes with fncast."""
    folder = max((models.FOLDER / models.BASE).glob("[0-9]*"), key=lambda path: int(path.name))
    return BaseForecaster(folder).forecast


def last_value(windows: Float64Array, horizon: int) -> Float64Array:
    return _same(np.repeat(_last(windows), horizon, axis=1))


def seasonal_naive(windows: Float64Array, horizon: int, season: int = DAY) -> Float64Array:
    """The readings one season before; the last value where there are fewer or one is missing."""
    if windows.shape[1] < season:
        return last_value(windows, horizon)
    past = windows[:, -season:][:, np.arange(horizon) % season]
    return _same(np.where(np.isnan(past), _last(windows), past))


def median_of_12(windows: Float64Array, horizon: int) -> Float64Array:
    """The quantiles of the last 12 known readings, the same for every step."""
    levels = np.stack([np.quantile(row[~np.isnan(row)][-12:], QUANTILES) for row in windows])
    return np.repeat(levels[:, np.newaxis, :], horizon, axis=1)


def classical(name: str, season: int = DAY) -> Method:
    """A method of statsforecast, fitted to each window; gaps are bridged by a line."""
    from statsforecast.models import AutoETS, Theta

    def forecast(windows: Float64Array, horizon: int) -> Float64Array:
        warnings.simplefilter("ignore")
        result = np.empty((len(windows), horizon, len(QUANTILES)))
        levels = [20, 40, 60, 80]
        for row, window in enumerate(windows):
            known = ~np.isnan(window)
            first = int(known.argmax())
            at = np.arange(len(window))
            filled = np.interp(at, at[known], window[known])[first:]
            length = season if len(filled) >= 2 * season else 1
            model = AutoETS(season_length=length) if name == "AutoETS" else Theta(season_length=length)
            found = model.forecast(y=filled, h=horizon, level=levels)
            lows = [found[f"lo-{level}"] for level in reversed(levels)]
            highs = [found[f"hi-{level}"] for level in levels]
            result[row] = np.stack([*lows, found["mean"], *highs], axis=1)
        return result

    return forecast


def pinball(forecast: Float64Array, actual: Float64Array) -> float:
    """The mean quantile loss over windows, steps and quantiles, in the unit of the readings.

    forecast: (count, horizon, quantiles). actual: (count, horizon).
    """
    difference = actual[:, :, np.newaxis] - forecast
    levels = np.array(QUANTILES)
    losses = np.maximum(levels * difference, (levels - 1) * difference).mean(axis=(1, 2))
    return float(losses.mean())


def error(forecast: Float64Array, actual: Float64Array, sizes: Float64Array) -> float:
    """The mean absolute error of the median, each series in units of its size. sizes: (count,)."""
    return float((np.abs(forecast[:, :, MIDDLE] - actual).mean(axis=1) / sizes).mean())


def coverage(forecast: Float64Array, actual: Float64Array) -> float:
    """The share of readings between the quantiles 0.1 and 0.9."""
    return float(((actual >= forecast[:, :, LOW]) & (actual <= forecast[:, :, HIGH])).mean())


def geometric_mean(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(np.maximum(values, 1e-12)))))


def _last(windows: Float64Array) -> Float64Array:
    """The last known reading of each window: (count, 1)."""
    known = ~np.isnan(windows)
    latest = windows.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    return np.asarray(windows[np.arange(len(windows)), latest][:, np.newaxis])


def _same(point: Float64Array) -> Float64Array:
    return np.repeat(point[:, :, np.newaxis], len(QUANTILES), axis=2)
