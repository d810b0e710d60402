"""How good the forecasts of one model version are for one series: sums over outcomes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fncast.monitor.accuracy.leads import LEADS, WEIGHTS
from fncast.series.window import Float64Array

HALF_LIFE_S = 86_400.0  # an outcome counts half after a day
# The quantile loss is the mean over these levels, so that models with other quantiles can be compared.
LEVELS = (0.1, 0.5, 0.9)
_LEVELS = np.array(LEVELS)[:, np.newaxis, np.newaxis]
# The sums over outcomes, in this order: of their weights, of the errors of forecast and last value, of the quantile
# losses, of the sizes of the readings, and of the readings in the band.
SUMS = ("weight", "error", "last_error", "loss", "size", "inside")


class Outcomes(NamedTuple):
    """Forecasts and the readings that came true, for n readings and the measured leads from the first on.

    is_comparable: (n, leads) whether the forecast was made, and its readings are known. time_s, value: (n,) of the
    readings, time in seconds since 1970. last: (n, leads) the reading before the forecast began. quantiles:
    (3, n, leads) of LEVELS.
    seasonal: (n, leads) the reading at the same time of the last day before the forecast began, NaN if it is unknown;
    None for a series without such a season.
    """

    is_comparable: NDArray[np.bool_]
    time_s: Float64Array
    value: Float64Array
    last: Float64Array
    quantiles: Float64Array
    seasonal: Float64Array | None = None


def _figures(sums: Float64Array) -> dict[str, float | None]:
    """The figures as in the event; None where a divisor is 0."""
    weight, error, last_error, loss, size, inside = sums.tolist()
    if weight <= 0.0:
        return {"mae": None, "skill": None, "wql": None, "coverage": None}
    return {
        "mae": error / weight,
        "skill": 1.0 - error / last_error if last_error > 0.0 else None,
        "wql": loss / size if size > 0.0 else None,
        "coverage": inside / weight,
    }


def _skill(sums: Float64Array) -> float | None:
    """1 - error / error of the naive forecast; None if the latter is 0. sums: both errors."""
    error, naive_error = sums.tolist()
    return 1.0 - error / naive_error if naive_error > 0.0 else None


class Accuracy:
    """The accuracy of one model version for one series.

    leads: (measured leads, SUMS) over all outcomes. day: (SUMS,) over all leads by their weights; an outcome counts
    half after a day. seasonal, seasonal_day: (2,) the errors of the forecast and of the seasonal naive, where both are
    known. outcomes: how many were added. since_s, newest_s: times of the first and the newest reading, in seconds
    since 1970; 0 without outcomes.
    """

    __slots__ = ("day", "leads", "newest_s", "outcomes", "seasonal", "seasonal_day", "since_s")

    def __init__(self) -> None:
        self.leads: Float64Array = np.zeros((0, len(SUMS)))
        self.day: Float64Array = np.zeros(len(SUMS))
        self.seasonal: Float64Array = np.zeros(2)
        self.seasonal_day: Float64Array = np.zeros(2)
        self.outcomes = 0
        self.since_s = self.newest_s = 0.0

    def add(self, found: Outcomes) -> None:
        """Count outcomes."""
        is_comparable = found.is_comparable
        times_s = found.time_s[is_comparable.any(axis=1)]
        if not len(times_s):
            return
        since_s, newest_s = float(times_s.min()), float(times_s.max())
        if not self.outcomes:
            self.since_s, self.newest_s = since_s, newest_s
        self.since_s = min(self.since_s, since_s)
        if newest_s > self.newest_s:
            factor = 0.5 ** ((newest_s - self.newest_s) / HALF_LIFE_S)
            self.day *= factor
            self.seasonal_day *= factor
            self.newest_s = newest_s
        self.outcomes += int(is_comparable.sum())
        self._add(found)

    def _add(self, found: Outcomes) -> None:
        """Add the sums over outcomes."""
        is_comparable, value = found.is_comparable, found.value[:, np.newaxis]
        difference = value - found.quantiles
        error = np.abs(difference[1])
        loss = np.maximum(_LEVELS * difference, (_LEVELS - 1.0) * difference).sum(axis=0) * (
            2.0 / len(LEVELS)
        )
        parts = np.empty((len(SUMS), *is_comparable.shape))
        parts[0] = 1.0
        parts[1] = error
        parts[2] = np.abs(value - found.last)
        parts[3] = loss
        parts[4] = np.abs(value)
        parts[5] = (difference[0] >= 0.0) & (difference[2] <= 0.0)
        parts = np.where(is_comparable, parts, 0.0)
        leads = is_comparable.shape[1]
        if leads > len(self.leads):
            self.leads = np.concatenate([self.leads, np.zeros((leads - len(self.leads), len(SUMS)))])
        self.leads[:leads] += parts.sum(axis=1).T
        weights = 0.5 ** ((self.newest_s - found.time_s) / HALF_LIFE_S)
        self.day += (parts * WEIGHTS[:leads]).sum(axis=2) @ weights
        if found.seasonal is not None:
            is_known = is_comparable & ~np.isnan(found.seasonal)
            both = np.stack([error, np.abs(value - found.seasonal)])
            sums = (np.where(is_known, both, 0.0) * WEIGHTS[:leads]).sum(axis=2)
            self.seasonal += sums.sum(axis=1)
            self.seasonal_day += sums @ weights

    def copy(self) -> Accuracy:
        """An independent copy."""
        accuracy = Accuracy()
        accuracy.leads, accuracy.day = self.leads.copy(), self.day.copy()
        accuracy.seasonal, accuracy.seasonal_day = self.seasonal.copy(), self.seasonal_day.copy()
        accuracy.outcomes, accuracy.since_s, accuracy.newest_s = self.outcomes, self.since_s, self.newest_s
        return accuracy

    def total_figures(self) -> dict[str, float | None]:
        """mae, skill, wql and coverage over everything; None where they are unknown."""
        return _figures((self.leads * WEIGHTS[: len(self.leads), np.newaxis]).sum(axis=0))

    def day_figures(self) -> dict[str, float | None]:
        """As `total_figures`, by `day`: recent outcomes count more."""
        return _figures(self.day)

    def lead_figures(self) -> dict[int, dict[str, float | None]]:
        """As `total_figures`, for each measured lead. The first step of a forecast has the lead 1."""
        last = int(np.flatnonzero(self.leads[:, 0]).max(initial=-1)) + 1
        return dict(zip(LEADS[:last].tolist(), map(_figures, self.leads[:last]), strict=True))

    def seasonal_skill(self) -> float | None:
        """1 - MAE / MAE of the seasonal naive; None if it is unknown."""
        return _skill(self.seasonal)

    def seasonal_day_skill(self) -> float | None:
        """As `seasonal_skill`, by `seasonal_day`: recent outcomes count more."""
        return _skill(self.seasonal_day)

    @property
    def is_worse_than_last(self) -> bool:
        """Whether the last day's error is larger than that of the last value."""
        return bool(self.day[1] > self.day[2])

    def state(self) -> list[Any]:
        """The state as numbers and bytes, for `restored`."""
        more = np.concatenate([self.day, self.seasonal, self.seasonal_day])
        return [self.outcomes, self.since_s, self.newest_s, more.tobytes(), self.leads.tobytes()]

    @classmethod
    def restored(cls, state: list[Any]) -> Accuracy:
        """The accuracy with the state that `state` returned."""
        accuracy = cls()
        accuracy.outcomes, accuracy.since_s, accuracy.newest_s, more, leads = state
        accuracy.leads = np.frombuffer(leads).reshape(-1, len(SUMS)).copy()
        sums = np.split(np.frombuffer(more).copy(), [len(SUMS), len(SUMS) + 2])
        accuracy.day, accuracy.seasonal, accuracy.seasonal_day = sums
        return accuracy
