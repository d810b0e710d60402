"""Backtests a model and the methods to compare with on the test part of each series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fncast.series.time_series import TimeSeries
from fncast.series.window import Float32Array, Float64Array, clip_forecasts, shift
from model_service.training.dataset import split
from model_service.training.evaluation import baselines
from model_service.training.evaluation.backtest import Backtest, rolling_origins
from model_service.training.evaluation.metrics import (
    MethodScores,
    geometric_mean,
    mae,
    mean,
    scores,
    seasonal_difference,
)
from model_service.training.season import find_seasons

if TYPE_CHECKING:
    from model_service.training.base.forecaster import BaseForecaster

Model = Callable[[Float32Array], Float32Array]

MODEL = "model"
LAST_VALUE = "last value"
SEASONAL = "seasonal naive"
LONGEST_SEASONAL = "seasonal naive (longest)"
LAST_READINGS = f"quantiles of the last {baselines.LAST_COUNT}"


@dataclass
class SeriesEvaluation:
    """One series: its backtest, and by method the forecasts, (origins, horizon, 3), and scores. seasons: in steps."""

    backtest: Backtest
    seasons: tuple[int, ...]
    forecasts: dict[str, Float64Array] = field(default_factory=dict)
    scores: dict[str, MethodScores] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the series."""
        return self.backtest.series.name

    @property
    def season(self) -> int:
        """The shortest season, 1 if there is none."""
        return self.seasons[0] if self.seasons else 1

    @property
    def longest_season(self) -> int:
        """The longest season, 1 if there is none."""
        return self.seasons[-1] if self.seasons else 1

    def add(self, method: str, forecast: Float64Array) -> None:
        """Add and score the forecasts of a method: (origins, horizon, 3)."""
        backtest = self.backtest
        naive = mae(baselines.last_value(backtest), backtest.actuals)
        difference = seasonal_difference(backtest.series.values[: backtest.before], self.season)
        self.forecasts[method] = forecast
        self.scores[method] = scores(forecast, backtest.actuals, naive, difference)


@dataclass
class Evaluation:
    """All evaluated series, and the reasons why others are left out."""

    window: int
    horizon: int
    stride: int
    series: list[SeriesEvaluation] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def methods(self) -> list[str]:
        """The methods that every series has; the model is first."""
        shared = (
            [m for m in self.series[0].scores if all(m in each.scores for each in self.series)]
            if self.series
            else []
        )
        return sorted(shared, key=lambda method: method != MODEL)

    @property
    def incomplete(self) -> dict[str, list[str]]:
        """Methods that failed on some series, with the names of these series. They are left out of the means."""
        every = dict.fromkeys(method for each in self.series for method in each.scores)
        lacking = {m: [each.name for each in self.series if m not in each.scores] for m in every}
        return {method: names for method, names in lacking.items() if names}

    @property
    def origins(self) -> int:
        """The number of origins of all series."""
        return sum(len(each.backtest) for each in self.series)

    def overall(self, method: str) -> dict[str, float | None]:
        """The means over the series: geometric for the relative MAE, arithmetic for the others."""
        scored = [each.scores[method] for each in self.series]
        return {
            "relative_mae": geometric_mean(each.relative_mae for each in scored),
            "mase": mean(each.mase for each in scored),
            "wql": mean(each.wql for each in scored),
            "coverage": mean(each.coverage for each in scored),
        }

    def as_json(self) -> dict[str, Any]:
        """The sizes, and the scores by method and by series, without the forecasts."""
        return {
            "window": self.window,
            "horizon": self.horizon,
            "stride": self.stride,
            "origins": self.origins,
            "overall": {method: self.overall(method) for method in self.methods},
            "series": {
                each.name: {
                    "origins": len(each.backtest),
                    "origins_left_out": each.backtest.left_out,
                    "seasons": list(each.seasons),
                    "scores": {method: result.as_json() for method, result in each.scores.items()},
                }
                for each in self.series
            },
            "left_out": self.left_out,
            "incomplete": self.incomplete,
        }


def prepare(
    series: Sequence[TimeSeries],
    window: int,
    horizon: int,
    *,
    test_share: float,
    stride: int | None = None,
    seasons: tuple[int, ...] | None = None,
) -> Evaluation:
    """Backtest the naive methods on the last `test_share` of each series.

    stride: steps between origins; default: the horizon. seasons: of all series; default: found in the readings of each
    series before the test part.
    """
    stride = horizon if stride is None else stride
    result = Evaluation(window, horizon, stride)
    for each in series:
        before = split(len(each), test_share, 0.0).validation
        backtest = rolling_origins(each, window, horizon, before, stride)
        if not len(backtest):
            result.left_out[each.name] = (
                f"no origin: {len(each)} readings, of which {len(each) - before} are test, are too few for a window"
                f" of {window} and a horizon of {horizon}, or too many are missing"
            )
            continue
        found = find_seasons(each.values[:before], each.step) if seasons is None else tuple(sorted(seasons))
        result.series.append(SeriesEvaluation(backtest, found))
    has_longer = any(len(each.seasons) > 1 for each in result.series)
    for evaluated in result.series:
        _add_naive(evaluated, has_longer)
    return result


def _add_naive(evaluated: SeriesEvaluation, has_longer: bool) -> None:
    """Add the forecasts of the naive methods.

    has_longer: whether any series has more than one season. If not, the longest season is not a separate method.
    """
    backtest = evaluated.backtest
    evaluated.add(LAST_VALUE, baselines.last_value(backtest))
    evaluated.add(SEASONAL, baselines.seasonal_naive(backtest, evaluated.season))
    if has_longer:
        evaluated.add(LONGEST_SEASONAL, baselines.seasonal_naive(backtest, evaluated.longest_season))
    evaluated.add(LAST_READINGS, baselines.last_readings(backtest))


def add_model(evaluation: Evaluation, model: Model) -> None:
    """Add the forecasts of a model to all series. model: (origins, window) → (origins, horizon, 3), both float32."""
    for each in evaluation.series:
        each.add(MODEL, model_forecast(model, each.backtest))


def add_base_model(evaluation: Evaluation, base: BaseForecaster) -> None:
    """Add the forecasts of a copy of a base model, which sees the same windows as a trained model."""
    for each in evaluation.series:
        each.add(MODEL, base.compared(each.backtest.windows, evaluation.horizon))


def model_forecast(model: Model, backtest: Backtest) -> Float64Array:
    """Forecast as the forecast function does: (origins, horizon, 3) float64.

    Windows are shifted by their last reading in float64. Forecasts stay within the limits of `clip_forecasts`.
    """
    shifted, levels = shift(backtest.windows)
    forecast = model(shifted).astype(np.float64) + levels[:, :, np.newaxis]
    return clip_forecasts(forecast, backtest.windows)
