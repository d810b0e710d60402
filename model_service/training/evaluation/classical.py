"""Backtests of the classical methods of statsforecast: one task for each series and method."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fncast.series.window import Float64Array
from model_service.training.evaluation.backtest import Backtest, bridge_with_nearest

METHODS = ("SES", "AutoETS", "AutoARIMA", "Theta", "MSTL", "MSTL+ARIMA")
# The most readings that a method is fitted on. Enough for two seasons of hourly data; more make a fit very slow.
MAX_READINGS = 2_000
# Within these limits a method is fitted again at every origin. Beyond them it is fitted once before the test part and
# then only updated, because a fit on many readings changes little.
MAX_REFITS = 50
MAX_REFIT_READINGS = 500
# Longer seasons are ignored: the search of AutoARIMA would take hours, and ETS does not support them.
MAX_MODEL_SEASON = 24
# For longer seasons AutoARIMA compares candidates by an approximation and fits the chosen one exactly, as `auto.arima`
# of R does, because the exact search is very slow.
MAX_EXACT_SEASON = 12
# Part of the cache key. Increase it when a change affects results.
PROTOCOL = 2


@dataclass(frozen=True)
class Task:
    """One method on one series.

    values: (readings,), NaN if missing. at: (origins,) positions in `values`. before: the position at which the test
    part begins. horizon, seasons: in steps.
    """

    method: str
    name: str
    values: Float64Array
    at: NDArray[np.int64]
    before: int
    horizon: int
    seasons: tuple[int, ...]

    def key(self) -> str:
        """The cache key: a hash of everything that determines the result."""
        digest = hashlib.sha256(self.values.tobytes() + self.at.tobytes())
        facts = (self.method, self.before, self.horizon, self.seasons, PROTOCOL, version("statsforecast"))
        digest.update(json.dumps(facts).encode())
        return digest.hexdigest()

    @property
    def fits_once(self) -> bool:
        """Whether the method is fitted once and then only updated."""
        return len(self.at) > MAX_REFITS or self.before > MAX_REFIT_READINGS

    def history(self, origin: int) -> Float64Array:
        """The readings that the method sees at an origin: the last MAX_READINGS before it, with gaps bridged: (n,)."""
        return bridge_with_nearest(self.values[max(0, origin - MAX_READINGS) : origin])


def tasks(
    backtests: Sequence[tuple[Backtest, tuple[int, ...]]], methods: Sequence[str] = METHODS
) -> list[Task]:
    """One task per series and method.

    backtests: each with the seasons of its series. Without a season MSTL equals its trend method, so it is skipped.
    """
    found = []
    for backtest, seasons in backtests:
        series, horizon = backtest.series, backtest.actuals.shape[1]
        for method in methods:
            if not seasons and method.startswith("MSTL"):
                continue
            found.append(
                Task(method, series.name, series.values, backtest.at, backtest.before, horizon, seasons)
            )
    return found


def run(task: Task, on_origin: Callable[[], None] = lambda: None) -> Float64Array:
    """The forecasts of one task: (origins, horizon, 3): the 80 % band's low, the mean, and its high.

    on_origin: called after each origin. Raises ValueError for forecasts that are not finite, or what the method
    raises.
    """
    warnings.simplefilter("ignore")
    model = model_of(task.method, task.seasons)
    if task.fits_once:
        model = model.fit(task.history(task.before))
    forecast = model.forward if task.fits_once else model.forecast
    rows = []
    for origin in task.at:
        result = forecast(y=task.history(origin), h=task.horizon, level=[80])
        rows.append(np.stack([result["lo-80"], result["mean"], result["hi-80"]], axis=1))
        on_origin()
    stacked = np.array(rows, dtype=np.float64)
    if not np.isfinite(stacked).all():
        raise ValueError("its forecasts are not finite")
    return stacked


def model_of(method: str, seasons: tuple[int, ...]) -> Any:
    """The statsforecast model of a method. seasons: lengths in steps, ascending."""
    from statsforecast.models import MSTL, AutoARIMA, AutoETS, Theta

    short = seasons[0] if seasons and seasons[0] <= MAX_MODEL_SEASON else 1
    if method == "SES":
        return AutoETS(season_length=1, model="ANN")
    if method == "AutoETS":
        return AutoETS(season_length=short)
    if method == "AutoARIMA":
        return AutoARIMA(season_length=short, approximation=short > MAX_EXACT_SEASON)
    if method == "Theta":
        return Theta(season_length=short)
    trend = AutoARIMA() if method == "MSTL+ARIMA" else AutoETS(model="ZZN")
    return MSTL(season_length=list(seasons), trend_forecaster=trend)
