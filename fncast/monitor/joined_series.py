"""Joins the forecasts of one series with its readings, in any order of arrival."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from fncast.monitor.accuracy import Accuracy, Outcomes
from fncast.monitor.detector import Detector, DetectorSettings, Judgement
from fncast.monitor.figures import Expectation
from fncast.monitor.pending import Int64Array, PendingForecasts
from fncast.monitor.season import season_steps
from fncast.series.step import Step

# A reading may come so many steps late. An older one changes nothing.
MAX_LATE = 8
# Outcomes are added to the sums for the readings of so many steps at once.
SETTLED_STEPS = 8
# Forecasts may be so many steps ahead of the readings.
MAX_AHEAD = 8
# So many forecasts are kept beyond the horizon.
KEPT_BEYOND = MAX_LATE + SETTLED_STEPS + MAX_AHEAD
# A reading waits for its forecast until more readings than this wait.
MAX_WAITING = 3
MAX_MODELS = 8  # versions at a time; the one without readings for the longest is forgotten
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NONE = -(2**62)


@dataclass(slots=True)
class Judged:
    """A reading with its judgement. time_s: seconds since 1970."""

    time_s: float
    value: float
    judgement: Judgement


@dataclass(slots=True)
class JoinedSeries:
    """One series: its recent readings and forecasts, its accuracy by model, and its detector.

    anchor, step: the grid; indices count its steps. newest: index of the latest reading. settled: the accuracy holds
    all outcomes up to this index; later ones can still change. judged: the newest index that the detector has seen.
    has_settled: whether the last call has added to `sums`. season: steps of a day; 0 without seasonal naive.
    """

    anchor: datetime
    step: Step
    horizon: int = 1
    readings: dict[int, float] = field(default_factory=dict)
    forecasts: dict[str, PendingForecasts] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)
    sums: dict[str, Accuracy] = field(default_factory=dict)
    detector: Detector = field(default_factory=Detector)
    newest: int = _NONE
    settled: int = _NONE
    judged: int = _NONE
    has_settled: bool = False
    season: int = field(init=False)
    anchor_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.season = season_steps(self.step)
        self.anchor_s = (self.anchor - _EPOCH).total_seconds()

    def index(self, moment: datetime) -> int:
        """The step at a moment."""
        return self.step.index_between(self.anchor, moment)

    def time_s(self, index: int) -> float:
        """The time of a step, in seconds since 1970."""
        if self.step.period_s is not None:
            return self.anchor_s + index * self.step.period_s
        return (self.step.after(self.anchor, index) - _EPOCH).total_seconds()

    @property
    def newest_s(self) -> float:
        """The time of the newest reading; long ago if there is none."""
        return self.time_s(self.newest) if self.readings else -math.inf

    def add_reading(self, index: int, value: float) -> None:
        """Add a reading, or correct one. A reading that is more than MAX_LATE steps late may be ignored."""
        self.has_settled = False
        if self.settled == _NONE:
            self.settled = index - MAX_LATE - 1
        if math.isnan(value) or index <= self.settled:
            return
        if index not in self.readings and index > self.judged:
            insort(self.waiting, index)
        self.readings[index] = value
        if index > self.newest:
            self.newest = index
            if index > self.settled + MAX_LATE + SETTLED_STEPS:
                self._settle(index - MAX_LATE - 1)

    def add_forecast(self, model: str, start: int, columns: list[list[float]]) -> bool:
        """Add a forecast. columns: lows, medians and highs.

        Returns False if there is one for the same start by the same model, which stands, or if it is too old.
        """
        self.has_settled = False
        if self.settled == _NONE:
            self.settled = start - MAX_LATE - 1
        length = len(columns[0])
        pending = self.forecasts.get(model)
        if start + length - 1 <= self.settled or (pending is not None and pending.has(start)):
            return False
        self.horizon = max(self.horizon, length)
        if pending is None:
            pending = self.forecasts[model] = PendingForecasts(length, KEPT_BEYOND)
        elif length > pending.horizon:
            pending = self.forecasts[model] = pending.resized(length, KEPT_BEYOND, self.settled)
        if pending.replaced_end(start) > self.settled:
            self._settle(pending.replaced_end(start))
        pending.add(start, columns)
        late = [index for index in range(start, self.settled + 1) if index in self.readings]
        if late:
            indices = np.array(late)
            outcomes = self._outcomes(pending, indices)
            outcomes.is_there[indices[:, np.newaxis] - np.arange(pending.horizon) != start] = False
            self._sums(model).add(outcomes)
        return True

    def waits_for(self, model: str) -> bool:
        """Whether forecasts of a model are kept, so that readings can still change its accuracy."""
        return model in self.forecasts

    def accuracy(self, model: str) -> Accuracy:
        """The accuracy of a model up to now. Do not change it."""
        settled = self.sums.get(model, Accuracy())
        pending = self.forecasts.get(model)
        if pending is None:
            return settled
        found = settled.copy()
        for indices in self._groups(self.newest):
            found.add(self._outcomes(pending, indices))
        return found

    @property
    def models(self) -> list[str]:
        """The models with forecasts of this series."""
        return list(self.sums | self.forecasts)

    def judge(self, settings: DetectorSettings) -> Iterator[Judged]:
        """Judge the readings that have their forecast, or have waited long enough for it, in the order of time."""
        newest_start = max([each.newest for each in self.forecasts.values()], default=_NONE)
        while self.waiting:
            index = self.waiting[0]
            if newest_start < index and len(self.waiting) <= MAX_WAITING:
                return
            del self.waiting[0]
            self.judged = index
            value, time_s = self.readings[index], self.time_s(index)
            near, far = self._expectations(index)
            yield Judged(time_s, value, self.detector.judge(time_s, value, near, far, settings))

    def _expectations(self, index: int) -> tuple[Expectation | None, Expectation | None]:
        """What the last and the first forecast that include a step predict for it; None without a usable forecast."""
        near = self._including(index, range(index, index - self.horizon, -1))
        if near is None or near[1] - 1 not in self.readings:
            return None, None
        far = self._including(index, range(index - self.horizon + 1, index + 1)) or near
        return _expectation(*near, index), _expectation(*far, index)

    def _including(self, index: int, starts: range) -> tuple[PendingForecasts, int] | None:
        """The forecast with the first of `starts` that includes a step, and its start."""
        every = list(self.forecasts.values())
        for start in starts:
            for pending in every:
                if pending.covers(start, index):
                    return pending, start
        return None

    def _settle(self, last: int) -> None:
        """Add the outcomes up to index `last` to the sums, and drop what is no longer needed."""
        self.has_settled = True
        for model, pending in list(self.forecasts.items()):
            for indices in self._groups(last):
                outcomes = self._outcomes(pending, indices)
                if outcomes.is_there.any():
                    self._sums(model).add(outcomes)
            if pending.newest + pending.horizon - 1 <= last:
                del self.forecasts[model]
        self.settled = last
        edge = last - self.horizon - self.season
        old = [index for index in self.readings if index < edge and index not in self.waiting]
        for index in old:
            del self.readings[index]

    def _groups(self, last: int) -> Iterator[Int64Array]:
        """The indices of the readings that are not settled, up to `last`, SETTLED_STEPS at a time."""
        open_ = sorted(index for index in self.readings if self.settled < index <= last)
        while open_:
            group = [index for index in open_ if index < open_[0] + SETTLED_STEPS]
            yield np.array(group)
            del open_[: len(group)]

    def _outcomes(self, pending: PendingForecasts, indices: Int64Array) -> Outcomes:
        """The outcomes of readings. indices: of known readings, close together."""
        is_there, quantiles = pending.mesh(indices)
        lead = np.arange(pending.horizon)
        first = int(indices[0]) - pending.horizon - self.season
        get = self.readings.get
        known = np.array([get(index, math.nan) for index in range(first, int(indices[-1]) + 1)])
        at = indices[:, np.newaxis] - first
        last = known[at - lead - 1]
        seasonal = known[at - lead + lead % self.season - self.season] if self.season else None
        times_s = np.array([self.time_s(index) for index in indices.tolist()])
        return Outcomes(is_there & ~np.isnan(last), times_s, known[at[:, 0]], last, quantiles, seasonal)

    def _sums(self, model: str) -> Accuracy:
        accuracy = self.sums.get(model)
        if accuracy is None:
            if len(self.sums) >= MAX_MODELS:
                del self.sums[min(self.sums, key=lambda each: self.sums[each].newest_s)]
            accuracy = self.sums[model] = Accuracy()
        return accuracy

    def state(self) -> list[Any]:
        """The state as numbers, texts and lists, for `restored`."""
        return [
            self.anchor.isoformat(),
            str(self.step),
            self.step.day,
            self.horizon,
            sorted(self.readings.items()),
            {model: pending.state(self.settled) for model, pending in self.forecasts.items()},
            self.waiting,
            {model: accuracy.state() for model, accuracy in self.sums.items()},
            self.detector.state(),
            self.newest,
            self.settled,
            self.judged,
        ]

    @classmethod
    def restored(cls, state: list[Any]) -> JoinedSeries:
        """The series with the state that `state` returned."""
        anchor, step, day, horizon, readings, forecasts, waiting, sums, detector, *places = state
        parsed = Step.parse(step)
        newest, settled, judged = places
        return cls(
            datetime.fromisoformat(anchor),
            Step(parsed.period_s, parsed.months, day),
            horizon,
            dict(readings),
            {
                model: PendingForecasts.restored(each, KEPT_BEYOND, settled)
                for model, each in forecasts.items()
            },
            list(waiting),
            {model: Accuracy.restored(each) for model, each in sums.items()},
            Detector.restored(detector),
            newest,
            settled,
            judged,
        )


def _expectation(pending: PendingForecasts, start: int, index: int) -> Expectation:
    low, median, high = pending.row(start, index - start)
    return Expectation(median, low, high)
