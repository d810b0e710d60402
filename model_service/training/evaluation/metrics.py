"""Error measures of quantile forecasts, as defined in docs/evaluation.md. Missing readings are ignored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from fncast.series.window import Float64Array
from model_service.training.settings import QUANTILES


@dataclass(frozen=True)
class MethodScores:
    """The scores of one method on one series.

    mae: mean absolute error of the median. relative_mae: mae divided by that of the last value. mase: mae divided by
    the mean absolute difference of readings one season apart, before the test part. wql: weighted quantile loss. These
    three are None if the divisor is 0. coverage: share of readings inside the 80 % band.
    """

    mae: float
    relative_mae: float | None
    mase: float | None
    wql: float | None
    coverage: float

    def as_json(self) -> dict[str, float | None]:
        """The scores by name."""
        return asdict(self)


def scores(
    forecast: Float64Array, actuals: Float64Array, naive_mae: float, seasonal_difference: float
) -> MethodScores:
    """Score forecasts. forecast: (origins, horizon, 3). actuals: (origins, horizon), NaN if missing.

    naive_mae: of the last value. seasonal_difference: see the function of this name.
    """
    error = mae(forecast, actuals)
    difference = actuals[:, :, np.newaxis] - forecast
    levels = np.array(QUANTILES)
    losses = 2 * np.nanmean(np.maximum(levels * difference, (levels - 1) * difference))
    inside = (actuals >= forecast[:, :, 0]) & (actuals <= forecast[:, :, 2])
    return MethodScores(
        mae=error,
        relative_mae=_over(error, naive_mae),
        mase=_over(error, seasonal_difference),
        wql=_over(float(losses), float(np.nanmean(np.abs(actuals)))),
        coverage=float(inside[~np.isnan(actuals)].mean()),
    )


def mae(forecast: Float64Array, actuals: Float64Array) -> float:
    """Mean absolute error of the median. Shapes as in `scores`."""
    return float(np.nanmean(np.abs(actuals - forecast[:, :, 1])))


def seasonal_difference(values: Float64Array, season: int) -> float:
    """Mean absolute difference of readings (n,) `season` steps apart; NaN if there are none."""
    differences = np.abs(values[season:] - values[:-season]) if len(values) > season else np.empty(0)
    known = differences[~np.isnan(differences)]
    return float(known.mean()) if len(known) else float("nan")


def geometric_mean(values: Iterable[float | None]) -> float | None:
    """The geometric mean of the positive values; None if there is none."""
    known = [value for value in values if value is not None and value > 0]
    return float(np.exp(np.mean(np.log(known)))) if known else None


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of the known values; None if there is none."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _over(value: float, divisor: float) -> float | None:
    """The quotient; None if it is not finite or the divisor is not positive."""
    return value / divisor if np.isfinite(divisor) and divisor > 0 and np.isfinite(value) else None
