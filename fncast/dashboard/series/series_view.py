"""One series as the page shows it: readings, the latest forecast, earlier forecasts, the error."""

from __future__ import annotations

from collections import deque
from typing import Any

from fncast.dashboard.events.event import ReceivedEvent
from fncast.dashboard.events.fields import UnreadableData, Values, parse_numbers
from fncast.dashboard.events.forecast import ShownForecast, parse_forecast
from fncast.dashboard.events.grid import Grid
from fncast.dashboard.events.recent_ids import RecentIds
from fncast.dashboard.events.single_reading import SingleReading
from fncast.dashboard.series.counter_rate import CounterRate
from fncast.dashboard.series.earlier_forecasts import EarlierForecasts
from fncast.dashboard.series.model_scores import ModelScores
from fncast.dashboard.series.reading_buffer import ReadingBuffer
from fncast.dashboard.series.silence import SilenceDetector
from fncast.dashboard.series.untimed_windows import UntimedWindows

# Readings to show: eight horizons, so that the forecast takes a ninth of the chart.
SHOWN_HORIZONS = 8
MIN_SHOWN, MAX_SHOWN = 64, 480
# Forecast ids to remember, so that a repeated forecast counts once.
MAX_IDS = 1024
# A feed has started again if this many events in a row were written later, but have earlier times.
RESTART_EVENTS = 3
MAX_UNIT = 24
# A forecast that is further ahead of the readings has a wrong time. All steps between are sent to the page.
MAX_AHEAD = 100_000


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
        self._untimed = UntimedWindows()
        self._readings = ReadingBuffer()
        # Readings that wait for a forecast, which gives the step of the series.
        self._early: deque[tuple[SingleReading, float]] = deque(maxlen=MAX_SHOWN)
        self._counter = CounterRate()
        self._older_events = 0
        self._latest: ShownForecast | None = None
        self._ids = RecentIds(MAX_IDS)
        self._earlier = EarlierForecasts()
        self._scores = ModelScores()
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
            start = self._untimed.place(values, self._readings.newest)
        else:
            assert self._grid is not None
            start = self._grid.index_of(grid.anchor) + skipped
            if self._has_restarted(start + len(values) - 1, timestamp_s):
                self._restart(grid)
                start = skipped
        self._has_windows = True
        self._merge(start, values)
        return start + len(values) - 1

    def add_reading(self, reading: SingleReading, written_s: float) -> None:
        """Add a single reading. It is shown once a forecast has shown the step of the series.

        written_s: when its record was written, in seconds since 1970. Ignores a reading that is more than MAX_SHOWN
        steps ahead of it: its clock is wrong, and all readings before it would count as too old.
        """
        self._unit = self._unit or reading.unit[:MAX_UNIT]
        if self._grid is None or self._grid.anchor is None:
            self._early.append((reading, written_s))
            return
        index = self._grid.step_at(reading.time_s)
        if reading.time_s > written_s and index > self._grid.step_at(written_s) + MAX_SHOWN:
            return
        value = self._counter.next(reading) if reading.is_counter else reading.value
        self._merge(index, [value])

    def add_forecast(self, event: ReceivedEvent, after: int | None) -> None:
        """Add a forecast. Ignores a repeated one, and one that is more than MAX_AHEAD steps ahead of the readings.

        after: the index of the last reading of its input, if known. Places a forecast without a start.
        Raises UnreadableData.
        """
        if event.id in self._ids:
            return
        forecast = parse_forecast(event, self._first_index(Grid.of(event.data), after))
        if len(self._readings) and forecast.start > self._readings.newest + MAX_AHEAD:
            return
        self._ids.add(event.id)
        self._model = forecast.model
        self._scores.add(forecast)
        if self._latest is None or forecast.start >= self._latest.start:
            self._latest = forecast
            unit = event.data.get("unit")
            self._unit = self._unit or (unit[:MAX_UNIT] if isinstance(unit, str) else "")
        self._earlier.add(forecast, self._lead())
        self._mark_changed(min(forecast.start, self._readings.newest + 1))
        self._scores.update(self._readings)

    def _first_index(self, grid: Grid, after: int | None) -> int:
        """The index of a forecast's first value. grid: of the forecast. after: see `add_forecast`.

        Without windows, the first forecast gives the step of the series, and a forecast with another step begins it
        again. Raises UnreadableData.
        """
        if grid.anchor is None:
            return (self._readings.newest if after is None else after) + 1
        if self._grid is None:
            early = self._early
            self._restart(grid)
            for reading, written_s in early:
                self.add_reading(reading, written_s)
        elif self._grid.step != grid.step and not self._has_windows:
            self._restart(grid)
        if self._grid is None or self._grid.step != grid.step:
            raise UnreadableData("the step of the forecast differs from the step of its series")
        return self._grid.index_of(grid.anchor)

    def snapshot(self) -> dict[str, Any]:
        """Everything that the page shows of this series, as JSON values."""
        first = self._first_shown()
        return self._as_json(first, first)

    def take_changes(self) -> dict[str, Any] | None:
        """The changes since the last call as JSON values; None if nothing changed.

        `from` is the first index that changed.
        """
        if self._changed is None and not self._whole:
            return None
        first = self._first_shown()
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
            "earlier": self._earlier.between(start, newest),
            "lead": self._lead(),
            "forecast": None if latest is None else latest.as_json(),
            "model": self._model,
            "score": self._scores.as_json(self._model),
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

    def _merge(self, start: int, values: Values) -> None:
        """Add readings whose first one has the index `start`, and score the forecasts that predicted them."""
        changed = self._readings.merge(start, values)
        latest = self._latest
        if latest is not None and len(self._readings) and latest.start > self._readings.newest + MAX_AHEAD:
            self._latest = None  # it came before the first readings
        if changed is not None:
            self._mark_changed(changed)
            self._scores.update(self._readings)

    def _first_shown(self) -> int:
        """The index of the first reading that the page shows; of the latest forecast if there are no readings."""
        if self._latest is not None and not len(self._readings):
            return self._latest.start
        horizon = len(self._latest.values) if self._latest else 0
        shown = min(MAX_SHOWN, max(MIN_SHOWN, SHOWN_HORIZONS * horizon))
        return max(self._readings.first, self._readings.newest - shown + 1)

    def _lead(self) -> int:
        """How many steps ahead the shown earlier forecasts were made: half the horizon."""
        return (len(self._latest.values) + 1) // 2 if self._latest else 0

    def _mark_changed(self, index: int) -> None:
        self._changed = index if self._changed is None else min(self._changed, index)
