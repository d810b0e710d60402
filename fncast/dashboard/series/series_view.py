"""One series as the page shows it: readings, the latest forecast, earlier forecasts, the error."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any

from fncast.dashboard.events.event import ReceivedEvent
from fncast.dashboard.events.forecast import ShownForecast, parse_forecast
from fncast.dashboard.events.names import short_key
from fncast.dashboard.events.single_reading import SingleReading
from fncast.dashboard.series.readings import (
    Grid,
    ReadingBuffer,
    UnreadableData,
    Values,
    count_new_values,
    parse_numbers,
)
from fncast.dashboard.series.score import ForecastScore
from fncast.dashboard.series.silence import SilenceDetector

# Readings to show: eight horizons, so that the forecast takes a ninth of the chart.
SHOWN_HORIZONS = 8
MIN_SHOWN, MAX_SHOWN = 64, 480
# Forecasts that wait for readings. With one forecast per reading, there are as many as the horizon has steps.
MAX_PENDING = 512
# Forecast ids to remember, so that a repeated forecast counts once.
MAX_IDS = 1024
# This many newer events in a row with older times mean that the feed has started from its beginning.
RESTART_EVENTS = 3
MAX_UNIT = 24
# Models to score separately per series: two versions during a roll-out, or two routes.
MAX_MODELS = 4


class SeriesView:
    """Collects events of one series in any order. Returns a snapshot, or the changes since the last call."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.silence = SilenceDetector()
        self._newest_s = 0.0  # the newest record's timestamp
        self._clear()

    def _clear(self) -> None:
        self._unit = ""
        self._grid: Grid | None = None
        self._has_windows = False
        self._untimed: Values = []  # the last window without times
        self._readings = ReadingBuffer()
        # Before the first forecast gives the step.
        self._early: deque[SingleReading] = deque(maxlen=MAX_SHOWN)
        self._counter: SingleReading | None = None  # the last reading of a counter
        self._older_events = 0
        self._latest: ShownForecast | None = None
        self._pending: deque[ShownForecast] = deque(maxlen=MAX_PENDING)
        self._ids: dict[str, None] = {}
        self._earlier: dict[int, tuple[int, float | None]] = {}  # index → (distance from the lead, value)
        self._scores: OrderedDict[str, ForecastScore] = OrderedDict()  # by model, the latest one last
        self._model = ""
        self._changed: int | None = None  # lowest index that changed
        self._whole = True  # whether the next changes hold everything

    def __bool__(self) -> bool:
        """Whether there is something to show; False if all events were unreadable."""
        return len(self._readings) > 0 or self._latest is not None

    def add_window(self, event: ReceivedEvent, timestamp_s: float | None) -> int:
        """Add the readings of a window.

        timestamp_s: the record's. Returns the index of the last reading. Raises UnreadableData.
        """
        data = event.data
        all_values: Any = data.get("values") if isinstance(data, dict) else data
        values = parse_numbers(all_values, MAX_SHOWN)
        grid = Grid.of(data)
        skipped = len(all_values) - len(values)
        if isinstance(data, dict) and isinstance(data.get("unit"), str):
            self._unit = data["unit"][:MAX_UNIT]
        if self._grid is None or self._grid.step != grid.step:
            self._restart(grid)
        if grid.anchor is None:
            start = self._place_untimed(values)
        else:
            assert self._grid is not None
            start = self._grid.index_of(grid.anchor) + skipped
            if self._has_restarted(start + len(values) - 1, timestamp_s):
                self._restart(grid)
                start = skipped
        self._has_windows = True
        changed = self._readings.merge(start, values)
        if changed is not None:
            self._mark_changed(changed)
            self._score_pending()
        return start + len(values) - 1

    def add_reading(self, reading: SingleReading) -> None:
        """Add a single reading. It is shown once a forecast has shown the step of the series."""
        self._unit = self._unit or reading.unit[:MAX_UNIT]
        if self._grid is None or self._grid.anchor is None:
            self._early.append(reading)
            return
        value: float | None = reading.value
        if reading.is_counter:
            value, self._counter = _rate(self._counter, reading), reading
        index = self._grid.step_at(reading.time_s)
        changed = self._readings.merge(index, [value])
        if changed is not None:
            self._mark_changed(changed)
            self._score_pending()

    def _place_early(self) -> None:
        early, self._early = self._early, deque(maxlen=MAX_SHOWN)
        for reading in early:
            self.add_reading(reading)

    def add_forecast(self, event: ReceivedEvent, after: int | None) -> None:
        """Add a forecast. Ignores a repeated one.

        after: the index of the last reading of its input, if known. Places a forecast without a start.
        Raises UnreadableData.
        """
        if short_key(event.id) in self._ids:
            return
        grid = Grid.of(event.data)
        if grid.anchor is None:
            start = (self._readings.newest if after is None else after) + 1
        else:
            if self._grid is None:
                early = self._early
                self._restart(grid)
                self._early = early
                self._place_early()
            if self._grid is not None and self._grid.step != grid.step and not self._has_windows:
                self._restart(grid)  # the step was found again from the readings
            if self._grid is None or self._grid.step != grid.step:
                raise UnreadableData("the step of the forecast differs from the step of its series")
            start = self._grid.index_of(grid.anchor)
        forecast = parse_forecast(event, start)
        self._remember(short_key(event.id))
        self._model = forecast.model
        self._scores.setdefault(forecast.model, ForecastScore())
        self._scores.move_to_end(forecast.model)
        if len(self._scores) > MAX_MODELS:
            self._scores.popitem(last=False)
        if self._latest is None or forecast.start >= self._latest.start:
            self._latest = forecast
            unit = event.data.get("unit")
            self._unit = self._unit or (unit[:MAX_UNIT] if isinstance(unit, str) else "")
        self._pending.append(forecast)
        self._keep_earlier(forecast)
        self._mark_changed(min(forecast.start, self._readings.newest + 1))
        self._score_pending()

    def snapshot(self) -> dict[str, Any]:
        """Everything that the page shows of this series, as JSON values."""
        first = max(self._readings.first, self._readings.newest - self._shown_readings() + 1)
        return self._as_json(first, first)

    def take_changes(self) -> dict[str, Any] | None:
        """The changes since the last call as JSON values; None if nothing changed.

        `from` is the first index that changed.
        """
        if self._changed is None and not self._whole:
            return None
        first = max(self._readings.first, self._readings.newest - self._shown_readings() + 1)
        start = first if self._whole or self._changed is None else max(first, self._changed)
        self._changed, self._whole = None, False
        return self._as_json(first, start)

    def _as_json(self, first: int, start: int) -> dict[str, Any]:
        grid, latest = self._grid or Grid(), self._latest
        newest = self._readings.newest
        end = max(newest, latest.start + len(latest.values) - 1 if latest else newest)
        return {
            "name": self.name,
            "unit": self._unit,
            "first": first,
            "from": start,
            "times": [grid.time_of(index) for index in range(start, end + 1)],
            "dated": grid.anchor is not None,
            "offset_s": grid.offset_s,
            "actual": self._readings.between(start, newest),
            "earlier": [
                self._earlier[i][1] if i in self._earlier else None for i in range(start, newest + 1)
            ],
            "lead": self._lead(),
            "forecast": None
            if latest is None
            else {
                "start": latest.start,
                "values": latest.values,
                "low": latest.low,
                "high": latest.high,
                "band": latest.band,
            },
            "model": self._model,
            "score": score.as_json() if (score := self._scores.get(self._model)) else None,
            "heard_s": self.silence.last_s,
            "silent_after_s": self._silent_after_s(),
        }

    def is_silent(self, now_s: float) -> bool:
        """Whether no event of the series has arrived for longer than usual."""
        last_s = self.silence.last_s
        return last_s is not None and now_s - last_s > self._silent_after_s()

    def _silent_after_s(self) -> float:
        grid = self._grid or Grid()
        dated = grid.anchor is not None
        return self.silence.limit_s(grid.time_of(1) - grid.time_of(0) if dated else 0.0)

    def _restart(self, grid: Grid) -> None:
        self._clear()
        self._grid = grid

    def _has_restarted(self, last: int, timestamp_s: float | None) -> bool:
        """Whether several newer events in a row have older times. A single one is only a record that is read late."""
        older = (
            len(self._readings) > 0 and last < self._readings.newest and (timestamp_s or 0.0) > self._newest_s
        )
        self._newest_s = max(self._newest_s, timestamp_s or 0.0)
        self._older_events = self._older_events + 1 if older else 0
        return self._older_events >= RESTART_EVENTS

    def _place_untimed(self, values: Values) -> int:
        added = count_new_values(self._untimed, values)
        self._untimed = values
        return self._readings.newest + 1 + added - len(values)

    def _shown_readings(self) -> int:
        horizon = len(self._latest.values) if self._latest else 0
        return min(MAX_SHOWN, max(MIN_SHOWN, SHOWN_HORIZONS * horizon))

    def _lead(self) -> int:
        """How many steps ahead the shown earlier forecasts were made: half the horizon."""
        return (len(self._latest.values) + 1) // 2 if self._latest else 0

    def _keep_earlier(self, forecast: ShownForecast) -> None:
        """For each index, keep the value of the forecast whose distance is closest to the lead."""
        lead = self._lead()
        for step, value in enumerate(forecast.values):
            index, distance = forecast.start + step, abs(step + 1 - lead)
            if index not in self._earlier or distance <= self._earlier[index][0]:
                self._earlier[index] = distance, value
        if len(self._earlier) > 4 * MAX_SHOWN:
            kept = sorted(self._earlier)[-2 * MAX_SHOWN :]
            self._earlier = {index: self._earlier[index] for index in kept}

    def _score_pending(self) -> None:
        """Score the forecast steps that have readings now."""
        newest = self._readings.newest
        for forecast in self._pending:
            score = self._scores.get(forecast.model)
            if score is not None and forecast.start + forecast.scored <= newest:
                score.add(forecast, self._readings)
        for score in self._scores.values():
            score.forget_before(newest)
        while self._pending and self._pending[0].scored >= len(self._pending[0].values):
            self._pending.popleft()

    def _remember(self, event_id: str) -> None:
        self._ids[event_id] = None
        if len(self._ids) > MAX_IDS:
            del self._ids[next(iter(self._ids))]

    def _mark_changed(self, index: int) -> None:
        self._changed = index if self._changed is None else min(self._changed, index)


def _rate(before: SingleReading | None, reading: SingleReading) -> float | None:
    """The increase of a counter per second. None if it is not known; after a reset the counter counts from 0."""
    if before is None or reading.time_s <= before.time_s:
        return None
    increase = reading.value - before.value if reading.value >= before.value else reading.value
    return increase / (reading.time_s - before.time_s)
