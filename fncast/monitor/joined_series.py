"""Joins the forecasts of one series with its readings, in whatever order the two come."""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fncast.monitor.accuracy import LEVELS, Accuracy, Outcome
from fncast.monitor.detector import Detector, DetectorSettings, Judgement
from fncast.monitor.figures import Expectation
from fncast.monitor.messages import ForecastMessage
from fncast.monitor.packed_rows import PackedRows
from fncast.monitor.season import same_time_before, season_steps
from fncast.series.step import Step

# Steps that readings and forecasts are kept beyond the horizon: how far one topic may be ahead of the other.
SLACK = 8
# A reading is judged without the forecast that was made for it once so many later readings came.
MAX_WAITING = 3
MAX_MODELS = 8  # versions at a time; the one without readings for the longest is forgotten
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Kept:
    """A forecast that waits for readings. rows: low, median and high of each step."""

    start: int
    model: str
    rows: PackedRows


@dataclass(slots=True)
class Judged:
    """A reading with its judgement. time_s: seconds since 1970."""

    time_s: float
    value: float
    judgement: Judgement


@dataclass(slots=True)
class JoinedSeries:
    """One series: its readings and forecasts of late, its accuracy by model, and its detector.

    anchor, step: the grid; indices count its steps. judged: the newest index that the detector has seen. oldest:
    readings up to this index are kept for the seasonal naive only. season: steps of a day; 0 without seasonal naive."""

    anchor: datetime
    step: Step
    horizon: int = 1
    readings: dict[int, float] = field(default_factory=dict)
    forecasts: list[Kept] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    accuracy: dict[str, Accuracy] = field(default_factory=dict)
    detector: Detector = field(default_factory=Detector)
    judged: int | None = None
    oldest: int | None = None
    season: int = field(init=False)

    def __post_init__(self) -> None:
        self.season = season_steps(self.step)

    def index(self, moment: datetime) -> int:
        """The step at a moment."""
        return self.step.index_between(self.anchor, moment)

    def time_s(self, index: int) -> float:
        """The time of a step, in seconds since 1970."""
        return (self.step.after(self.anchor, index) - _EPOCH).total_seconds()

    def add_reading(self, index: int, value: float) -> None:
        """Add a reading, or correct one. A reading that is older than what is kept is ignored."""
        newest = max(self.readings, default=index)
        if math.isnan(value) or index <= newest - self._kept_steps or self.readings.get(index) == value:
            return
        for kept, step in self._affected(index):
            self._count(kept, step, -1)
        is_new = index not in self.readings
        self.readings[index] = value
        for kept, step in self._affected(index):
            self._count(kept, step, 1)
        if is_new and (self.judged is None or index > self.judged):
            insort(self.waiting, index)
        self._forget()

    def add_forecast(self, message: ForecastMessage) -> bool:
        """Add a forecast. Returns False if there is one for the same start by the same model, which stands."""
        start = self.index(message.start)
        places = [_nearest(message.levels, level) for level in LEVELS]
        if any(kept.start == start and kept.model == message.model for kept in self.forecasts):
            return False
        rows = PackedRows((row[places[0]], row[places[1]], row[places[2]]) for row in message.rows)
        kept = Kept(start, message.model, rows)
        self.horizon = max(self.horizon, len(kept.rows))
        insort(self.forecasts, kept, key=lambda each: each.start)
        for step in range(len(kept.rows)):
            self._count(kept, step, 1)
        self._forget()
        return True

    def waits_for(self, model: str) -> bool:
        """Whether forecasts of a model are kept, so that readings can still change its accuracy."""
        return any(kept.model == model for kept in self.forecasts)

    def judge(self, settings: DetectorSettings) -> Iterator[Judged]:
        """Judge the readings that wait no longer for their forecast, in the order of time."""
        newest_start = self.forecasts[-1].start if self.forecasts else None
        while self.waiting:
            index = self.waiting[0]
            has_forecast = newest_start is not None and newest_start >= index
            if not has_forecast and len(self.waiting) <= MAX_WAITING:
                return
            del self.waiting[0]
            self.judged = index
            value, time_s = self.readings[index], self.time_s(index)
            near, far = self._expectations(index)
            yield Judged(time_s, value, self.detector.judge(time_s, value, near, far, settings))

    def _expectations(self, index: int) -> tuple[Expectation | None, Expectation | None]:
        """What the last and the first forecast that include a step say about it; None without a usable forecast."""
        end = bisect_right(self.forecasts, index, key=lambda kept: kept.start)
        found = [kept for kept in self.forecasts[:end] if index - kept.start < len(kept.rows)]
        if not found or found[-1].start - 1 not in self.readings:
            return None, None
        near, far = found[-1], found[0]
        return _expectation(near, index), _expectation(far, index)

    def _affected(self, index: int) -> Iterator[tuple[Kept, int]]:
        """The forecasts' steps whose outcome a reading changes: its own, and those of forecasts that follow it.

        The latter are compared with the reading as the last value, or as that at the same time of the day before."""
        for kept in self.forecasts:
            if kept.start == index + 1:
                yield from ((kept, step) for step in range(len(kept.rows)))
            elif 0 <= index - kept.start < len(kept.rows):
                yield kept, index - kept.start
            elif index < kept.start <= index + self.season:
                first = index + self.season - kept.start
                yield from ((kept, step) for step in range(first, len(kept.rows), self.season))

    def _count(self, kept: Kept, step: int, sign: int) -> None:
        """Add (1) or remove (-1) the outcome of a forecast's step, if its readings are known."""
        value = self.readings.get(kept.start + step)
        last = None if value is None else self._last_before(kept.start)
        if value is None or last is None:
            return
        outcome = Outcome(step + 1, self.time_s(kept.start + step), value, last, *kept.rows[step])
        if self.season:
            outcome.seasonal = self.readings.get(same_time_before(kept.start, step, self.season))
        accuracy = self.accuracy.get(kept.model)
        if accuracy is None:
            if len(self.accuracy) >= MAX_MODELS:
                oldest = min(self.accuracy, key=lambda model: self.accuracy[model].newest_s)
                del self.accuracy[oldest]
            accuracy = self.accuracy[kept.model] = Accuracy()
        if sign > 0:
            accuracy.add(outcome)
        else:
            accuracy.remove(outcome)

    def _last_before(self, start: int) -> float | None:
        """The reading before a forecast; None if it is unknown or too old, even if it is kept for the season."""
        index = start - 1
        if self.oldest is not None and index <= self.oldest and index not in self.waiting:
            return None
        return self.readings.get(index)

    @property
    def _kept_steps(self) -> int:
        return self.horizon + SLACK

    def _forget(self) -> None:
        """Drop readings and forecasts that are too old to be joined."""
        newest = max(self.readings, default=None)
        if newest is not None:
            oldest = newest - self._kept_steps
            self.oldest = oldest if self.oldest is None else max(self.oldest, oldest)
            edge = min([self.oldest, *self.waiting[:1]]) - self.season if self.season else self.oldest
            old = [index for index in self.readings if index <= edge and index not in self.waiting]
            for index in old:
                del self.readings[index]
        if self.forecasts:
            reached = self.forecasts[-1].start if newest is None else newest
            oldest = min(reached, self.forecasts[-1].start) - self._kept_steps
            ahead = self.forecasts[-1].start - 2 * self._kept_steps
            self.forecasts = [kept for kept in self.forecasts if kept.start > max(oldest, ahead)]

    def state(self) -> list[Any]:
        """The state as numbers, texts and lists, for `restored`."""
        return [
            self.anchor.isoformat(),
            str(self.step),
            self.step.day,
            self.horizon,
            sorted(self.readings.items()),
            [[kept.start, kept.model, *kept.rows.state()] for kept in self.forecasts],
            self.waiting,
            {model: accuracy.state() for model, accuracy in self.accuracy.items()},
            self.detector.state(),
            self.judged,
            self.oldest,
        ]

    @classmethod
    def restored(cls, state: list[Any]) -> JoinedSeries:
        """The series with the state that `state` returned."""
        anchor, step, day, horizon, readings, forecasts, waiting, accuracy, detector, judged, oldest = state
        parsed = Step.parse(step)
        return cls(
            datetime.fromisoformat(anchor),
            Step(parsed.period_s, parsed.months, day),
            horizon,
            dict(readings),
            [Kept(start, model, PackedRows.restored(scale, data)) for start, model, scale, data in forecasts],
            list(waiting),
            {model: Accuracy.restored(each) for model, each in accuracy.items()},
            Detector.restored(detector),
            judged,
            oldest,
        )


def _expectation(kept: Kept, index: int) -> Expectation:
    low, median, high = kept.rows[index - kept.start]
    return Expectation(median, low, high)


def _nearest(levels: tuple[float, ...], wanted: float) -> int:
    return min(range(len(levels)), key=lambda place: abs(levels[place] - wanted))
