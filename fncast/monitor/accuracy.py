"""How good the forecasts of one model version are for one series: sums that readings are added to and taken from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

DAY_S = 86_400.0
# The quantile loss is the mean over these levels, so that models with other quantiles can be compared.
LEVELS = (0.1, 0.5, 0.9)


@dataclass(slots=True)
class Outcome:
    """What one step of a forecast came to. lead: 1 for the first step. last: the reading before the forecast began.

    low, median, high: the forecast's quantiles of LEVELS. time_s: of the reading, seconds since 1970. seasonal: the
    reading at the same time of the last day before the forecast began; None if it is unknown."""

    lead: int
    time_s: float
    value: float
    last: float
    low: float
    median: float
    high: float
    seasonal: float | None = None


@dataclass(slots=True)
class Sums:
    """Weighted sums over outcomes."""

    weight: float = 0.0
    error: float = 0.0
    last_error: float = 0.0
    loss: float = 0.0
    size: float = 0.0
    inside: float = 0.0

    def add(self, outcome: Outcome, weight: float) -> None:
        """Add an outcome, or remove it with the negative weight."""
        value = outcome.value
        loss = 0.0
        for level, quantile in zip(LEVELS, (outcome.low, outcome.median, outcome.high), strict=True):
            difference = value - quantile
            loss += max(level * difference, (level - 1.0) * difference)
        self.weight += weight
        self.error += weight * abs(value - outcome.median)
        self.last_error += weight * abs(value - outcome.last)
        self.loss += weight * 2.0 * loss / len(LEVELS)
        self.size += weight * abs(value)
        self.inside += weight * (outcome.low <= value <= outcome.high)

    def scale(self, factor: float) -> None:
        """Multiply all sums."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) * factor)

    def figures(self) -> dict[str, float | None]:
        """The figures as in the event; None where a divisor is 0."""
        if self.weight <= 0.0:
            return {"mae": None, "skill": None, "wql": None, "coverage": None}
        return {
            "mae": self.error / self.weight,
            "skill": 1.0 - self.error / self.last_error if self.last_error > 0.0 else None,
            "wql": self.loss / self.size if self.size > 0.0 else None,
            "coverage": self.inside / self.weight,
        }


@dataclass(slots=True)
class SeasonalSums:
    """Weighted errors of the forecast and of the seasonal naive, over the outcomes for which both are known."""

    error: float = 0.0
    naive_error: float = 0.0

    def add(self, outcome: Outcome, weight: float) -> None:
        """Add an outcome, or remove it with the negative weight."""
        if outcome.seasonal is not None:
            self.error += weight * abs(outcome.value - outcome.median)
            self.naive_error += weight * abs(outcome.value - outcome.seasonal)

    def skill(self) -> float | None:
        """1 - MAE / MAE of the seasonal naive; None if it is unknown."""
        return 1.0 - self.error / self.naive_error if self.naive_error > 0.0 else None


@dataclass(slots=True)
class Accuracy:
    """The accuracy of one model version for one series.

    total: over everything. day: outcomes count half after a day. by_lead: total, the first lead first.
    seasonal, seasonal_day: the comparison with the seasonal naive. outcomes: how many there are. since_s, newest_s:
    times of the first and newest reading."""

    total: Sums = field(default_factory=Sums)
    day: Sums = field(default_factory=Sums)
    by_lead: list[Sums] = field(default_factory=list)
    outcomes: int = 0
    since_s: float = 0.0
    newest_s: float = 0.0
    seasonal: SeasonalSums = field(default_factory=SeasonalSums)
    seasonal_day: SeasonalSums = field(default_factory=SeasonalSums)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        if not self.outcomes:
            self.since_s = self.newest_s = outcome.time_s
        self.since_s = min(self.since_s, outcome.time_s)
        if outcome.time_s > self.newest_s:
            factor = 0.5 ** ((outcome.time_s - self.newest_s) / DAY_S)
            self.day.scale(factor)
            self.seasonal_day.error *= factor
            self.seasonal_day.naive_error *= factor
            self.newest_s = outcome.time_s
        self.outcomes += 1
        self._apply(outcome, 1.0)

    def remove(self, outcome: Outcome) -> None:
        """Take back an outcome that was added: its reading was corrected."""
        self.outcomes -= 1
        self._apply(outcome, -1.0)

    def _apply(self, outcome: Outcome, weight: float) -> None:
        while len(self.by_lead) < outcome.lead:
            self.by_lead.append(Sums())
        self.total.add(outcome, weight)
        self.by_lead[outcome.lead - 1].add(outcome, weight)
        day_weight = weight * 0.5 ** ((self.newest_s - outcome.time_s) / DAY_S)
        self.day.add(outcome, day_weight)
        if outcome.seasonal is not None:
            self.seasonal.add(outcome, weight)
            self.seasonal_day.add(outcome, day_weight)

    def state(self) -> list[Any]:
        """The state as numbers and lists, for `restored`."""
        sums = [
            [getattr(each, name) for name in Sums.__slots__] for each in (self.total, self.day, *self.by_lead)
        ]
        seasonal = [[each.error, each.naive_error] for each in (self.seasonal, self.seasonal_day)]
        return [self.outcomes, self.since_s, self.newest_s, seasonal, *sums]

    @classmethod
    def restored(cls, state: list[Any]) -> Accuracy:
        """The accuracy with the state that `state` returned."""
        outcomes, since_s, newest_s, seasonal, total, day, *by_lead = state
        leads = [Sums(*each) for each in by_lead]
        seasons = (SeasonalSums(*each) for each in seasonal)
        return cls(Sums(*total), Sums(*day), leads, outcomes, since_s, newest_s, *seasons)
