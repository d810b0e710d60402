"""Joins the forecasts of one series with its readings, in any order of arrival."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from fncast.monitor.accuracy.accuracy import Accuracy, Outcomes
from fncast.monitor.accuracy.season import season_steps
from fncast.monitor.anomalies.detector import Detector, DetectorSettings, Judged
from fncast.monitor.joining.expectations import expectations
from fncast.monitor.joining.lead_rings import Int64Array
from fncast.monitor.joining.outcomes import outcomes
from fncast.monitor.joining.packed_forecast import PackedForecast, pack
from fncast.monitor.joining.pending import NONE, PendingForecasts
from fncast.monitor.joining.recent_readings import RecentReadings
from fncast.monitor.joining.series_grid import SeriesGrid
from fncast.monitor.joining.waiting_readings import WaitingReadings
from fncast.series.step import Step

# A reading may come this many steps late. An older one may be ignored.
MAX_LATE = 8
# Outcomes are added to the sums for the readings of this many steps at once.
SETTLED_STEPS = 8
# Forecasts may be this many steps ahead of the readings.
MAX_AHEAD = 8
# This many forecasts are kept beyond the horizon.
KEPT_BEYOND = MAX_LATE + SETTLED_STEPS + MAX_AHEAD
# Versions at a time. The one without readings, or without forecasts, for the longest is forgotten.
MAX_MODELS = 8


@dataclass(slots=True)
class JoinedSeries:
    """One series: its recent readings and forecasts, its accuracy by model, and its detector.

    Indices are those of the grid. horizon: steps of the longest forecast. forecasts: by model, those that wait for
    readings. sums: by model, the accuracy over the outcomes that are settled: those up to the index `settled`. Later
    outcomes can still change. newest: index of the latest reading. has_settled: whether the last added reading or
    forecast has moved `settled`. season: steps of a day; 0 without seasonal naive. readings: those that outcomes can
    still need. waiting: those that the detector has not judged.
    """

    grid: SeriesGrid
    horizon: int = 1
    forecasts: dict[str, PendingForecasts] = field(default_factory=dict)
    sums: dict[str, Accuracy] = field(default_factory=dict)
    detector: Detector = field(default_factory=Detector)
    newest: int = NONE
    settled: int = NONE
    has_settled: bool = False
    season: int = field(init=False)
    readings: RecentReadings = field(init=False)
    waiting: WaitingReadings = field(default_factory=WaitingReadings)

    def __post_init__(self) -> None:
        self.season = season_steps(self.grid.step)
        self.readings = RecentReadings(self._first(), self._kept())

    def _first(self) -> int:
        """The first step whose reading is still needed."""
        return self.settled - self.horizon - self.season

    def _kept(self) -> int:
        """How many steps' readings are needed, up to the newest reading that can come."""
        return self.horizon + self.season + MAX_LATE + SETTLED_STEPS + 1

    @property
    def has_readings(self) -> bool:
        """Whether any reading has come."""
        return self.newest != NONE

    @property
    def newest_s(self) -> float:
        """The time of the newest reading, in seconds since 1970; -inf if there is none."""
        return self.grid.time_s(self.newest) if self.has_readings else -math.inf

    def add_reading(self, index: int, value: float) -> None:
        """Add a reading, or correct one. A reading that is more than MAX_LATE steps late may be ignored."""
        self.has_settled = False
        if self.settled == NONE:
            self._begin(index)
        if math.isnan(value) or self.is_too_late(index):
            return
        if index > self.settled + MAX_LATE + SETTLED_STEPS:
            self._settle(index - MAX_LATE - 1)
        self.waiting.add(index, value, is_new=index not in self.readings)
        self.readings[index] = value
        if index > self.newest:
            self.newest = index

    def _begin(self, index: int) -> None:
        """Begin the series with the step of its first reading or forecast."""
        self.settled = index - MAX_LATE - 1
        self.readings.first = self._first()

    def add_forecast(self, model: str, start: int, columns: list[list[float]]) -> PackedForecast | None:
        """Add a forecast and return it. start: index of its first step. columns: (3, steps) lows, medians and highs.

        Returns None, and ignores the forecast, if the model already has this start, or if the forecast is too old or
        too far ahead.
        """
        self.has_settled = False
        if self.settled == NONE:
            self._begin(start)
        length = len(columns[0])
        pending = self.forecasts.get(model)
        if start + length - 1 <= self.settled or (pending is not None and pending.has(start)):
            return None
        if self.has_readings and start > self.newest + self.horizon + KEPT_BEYOND:
            return None
        if length > self.horizon:
            self.horizon = length
            self.readings = self.readings.resized(self._first(), self._kept())
        if start - 1 - KEPT_BEYOND > self.settled:
            self._settle(start - 1 - KEPT_BEYOND)
            pending = self.forecasts.get(model)
        if pending is None:
            if len(self.forecasts) >= MAX_MODELS:
                del self.forecasts[min(self.forecasts, key=lambda each: self.forecasts[each].newest)]
            pending = self.forecasts[model] = PendingForecasts(length, KEPT_BEYOND)
        elif length > pending.horizon:
            pending = self.forecasts[model] = pending.resized(length, self.settled)
        packed = pack(columns, pending.digits)
        pending.add(start, packed, self.settled)
        # The outcomes of steps that are settled already are added to the sums at once.
        late = [index for index in range(start, self.settled + 1) if index in self.readings]
        if late:
            alone = PendingForecasts(length, KEPT_BEYOND)
            alone.add(start, packed, start - 1)
            self._sums(model).add(self._outcomes(alone, np.array(late)))
        return packed

    def is_too_late(self, index: int) -> bool:
        """Whether a reading of this step would change nothing, because it is more than MAX_LATE steps late."""
        return index <= self.settled

    def has_forecast(self, model: str, start: int) -> bool:
        """Whether a forecast of the model with this first step is kept."""
        pending = self.forecasts.get(model)
        return pending is not None and pending.has(start)

    def waits_for(self, model: str) -> bool:
        """Whether forecasts of a model are kept, so that readings can still change its accuracy."""
        return model in self.forecasts

    def accuracy(self, model: str) -> Accuracy:
        """The accuracy of a model up to now. Do not change it."""
        sums = self.sums.get(model, Accuracy())
        pending = self.forecasts.get(model)
        if pending is None:
            return sums
        found = sums.copy()
        if len(indices := self._unsettled(self.newest)):
            found.add(self._outcomes(pending, indices))
        return found

    @property
    def models(self) -> list[str]:
        """The models with forecasts of this series."""
        return list(self.sums | self.forecasts)

    def judge(self, settings: DetectorSettings) -> Iterator[Judged]:
        """Judge the readings that no longer wait for their forecast, in the order of time."""
        newest_start = max((each.newest for each in self.forecasts.values()), default=NONE)
        for index, value in self.waiting.ready(newest_start):
            time_s = self.grid.time_s(index)
            near, far = expectations(self.forecasts.values(), self.readings, index)
            yield Judged(time_s, value, self.detector.judge(time_s, value, near, far, settings))

    def _settle(self, last: int) -> None:
        """Add the outcomes up to index `last` to the sums, and drop what is no longer needed."""
        self.has_settled = True
        indices = self._unsettled(last)
        for model, pending in list(self.forecasts.items()):
            if len(indices):
                found = self._outcomes(pending, indices)
                if found.is_comparable.any():
                    self._sums(model).add(found)
            if pending.newest + pending.horizon - 1 <= last:
                del self.forecasts[model]
        self.settled = last
        self.readings.forget(self._first())

    def _unsettled(self, last: int) -> Int64Array:
        """The indices of the readings that are not settled, up to `last`."""
        first = self.settled + 1
        known = self.readings.between(first, min(last, self.newest) + 1)
        return first + np.flatnonzero(~np.isnan(known))

    def _outcomes(self, pending: PendingForecasts, indices: Int64Array) -> Outcomes:
        times_s = np.array([self.grid.time_s(index) for index in indices.tolist()])
        return outcomes(pending, self.readings, indices, times_s, self.season)

    def _sums(self, model: str) -> Accuracy:
        accuracy = self.sums.get(model)
        if accuracy is None:
            if len(self.sums) >= MAX_MODELS:
                del self.sums[min(self.sums, key=lambda each: self.sums[each].newest_s)]
            accuracy = self.sums[model] = Accuracy()
        return accuracy

    def state(self) -> list[Any]:
        """The state as numbers, strings, bytes and containers of them, for `restored`."""
        grid, waiting = self.grid, self.waiting
        return [
            grid.anchor.isoformat(),
            str(grid.step),
            grid.step.day,
            self.horizon,
            sorted({**waiting.values, **dict(self.readings.items())}.items()),
            {model: pending.state(self.settled) for model, pending in self.forecasts.items()},
            sorted(waiting.values),
            {model: accuracy.state() for model, accuracy in self.sums.items()},
            self.detector.state(),
            self.newest,
            self.settled,
            waiting.judged,
        ]

    @classmethod
    def restored(cls, state: list[Any]) -> JoinedSeries:
        """The series with the state that `state` returned."""
        anchor, step, day, horizon, readings, forecasts, waiting, sums, detector, newest, settled, judged = (
            state
        )
        parsed = Step.parse(step)
        series = cls(
            SeriesGrid(datetime.fromisoformat(anchor), Step(parsed.period_s, parsed.months, day)),
            horizon,
            {
                model: PendingForecasts.restored(each, KEPT_BEYOND, settled)
                for model, each in forecasts.items()
            },
            {model: Accuracy.restored(each) for model, each in sums.items()},
            Detector.restored(detector),
            newest,
            settled,
        )
        series.waiting.values = {index: value for index, value in readings if index in waiting}
        series.waiting.judged = judged
        for index, value in readings:
            if index >= series.readings.first:
                series.readings[index] = value
        return series
