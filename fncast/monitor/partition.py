"""The series of one partition number: takes readings and forecasts, returns events to publish; no I/O but the log."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fncast.foreign_text import clean
from fncast.monitor.joining.joined_series import JoinedSeries
from fncast.monitor.joining.packed_forecast import decoded_columns
from fncast.monitor.joining.series_grid import SeriesGrid
from fncast.monitor.messages import ForecastMessage, NewestReading
from fncast.monitor.monitored_series import MonitoredSeries
from fncast.monitor.rules import MonitorRules
from fncast.monitor.series_events import MAX_SHOWN_CHARACTERS, SeriesEvents
from interceptor.outcome import OutputEvent

log = logging.getLogger("fncast.monitor")

# The kinds of notes of a partition. The numbers are stored in the state topic.
NEW, READING, FORECASTED, SILENT = range(4)
# The pause between two searches for silent series.
LOOK_MS = 1_000


class MonitorPartition:
    """The series of one partition number.

    series: by name. changed: names of the series that changed since the writer of the state removed them. notes: what
    changed, in order, for `replay`; the writer of the state clears them. rejected: how many readings and forecasts were
    ignored because `max_series` leaves no room for their series. untimely: how many readings and forecasts were ignored
    because they came too late, or forecasts because they are too far ahead of the readings.
    """

    def __init__(self, rules: MonitorRules) -> None:
        self._rules = rules
        self._events = SeriesEvents(rules)
        self.series: dict[str, MonitoredSeries] = {}
        self.changed: set[str] = set()
        self.notes: list[tuple[Any, ...]] = []
        self.rejected = 0
        self.untimely = 0
        self._looked_ms = -LOOK_MS

    def add_reading(self, reading: NewestReading, record_ms: int) -> list[OutputEvent]:
        """Take a reading. record_ms: timestamp of its record. Returns the events to publish, in order."""
        series = self._series(reading.series, reading.time, reading.step)
        if series is None:
            return []
        index = series.joined.grid.index(reading.time)
        self.notes.append((READING, series.name, index, reading.value, record_ms))
        self.untimely += series.joined.is_too_late(index)
        return self._take_reading(series, index, reading.value, record_ms)

    def _take_reading(
        self, series: MonitoredSeries, index: int, value: float, record_ms: int
    ) -> list[OutputEvent]:
        events = []
        if not math.isnan(value) and series.silence.arrived(record_ms) and series.is_watched:
            events.append(self._events.silence_event(series, is_open=False))
        series.joined.add_reading(index, value)
        return events + self._events.judge(series)

    def tick(self, now_ms: int) -> list[OutputEvent]:
        """Find the series that became silent. now_ms: milliseconds since 1970. Returns their events."""
        if now_ms < self._looked_ms + LOOK_MS:
            return []
        self._looked_ms = now_ms
        events: list[OutputEvent] = []
        steps, history = self._rules.silent_steps, self._rules.detector.min_history
        if not steps:
            return events
        for name, series in self.series.items():
            step_ms = 1000.0 * series.joined.grid.step_s
            if series.silence.begins(now_ms, step_ms, steps, history):
                self.changed.add(name)
                self.notes.append((SILENT, name))
                if series.is_watched:
                    events.append(self._events.silence_event(series, is_open=True))
        return events

    def add_forecast(self, message: ForecastMessage) -> list[OutputEvent]:
        """Take a forecast. Returns the events to publish, in order."""
        series = self._series(message.series, message.start, message.step)
        if series is None:
            return []
        start = series.joined.grid.index(message.start)
        packed = series.joined.add_forecast(message.model, start, message.band)
        if packed is None:
            self.untimely += not series.joined.has_forecast(message.model, start)
            return []
        events = self._events.update_alerts(series, message)
        alerts = series.alert_state() if series.rules else None
        self.notes.append((FORECASTED, series.name, message.model, start, *packed.encoded(), alerts))
        return events + self._events.judge(series)

    def replay(self, note: Sequence[Any]) -> None:
        """Apply a note of an earlier process, of any kind. Publishes nothing.

        With at-least-once delivery, a series can be unknown after a kill between the commits of two topics. Its note is
        then ignored: the records that began the series are read again.
        """
        kind, name, *content = note
        if kind == NEW:
            self.restore(name, *content)
        series = self.series.get(name)
        if series is None:
            log.warning(
                "%s: the state of this new series was not written, so the series begins again",
                clean(name, MAX_SHOWN_CHARACTERS),
            )
            return
        self.changed.add(name)
        if kind == READING:
            self._take_reading(series, *content)
        elif kind == FORECASTED:
            model, start, *encoded, alerts = content
            series.joined.add_forecast(model, start, decoded_columns(*encoded))
            if alerts:
                series.restore_alerts(alerts)
            self._events.judge(series)
        elif kind == SILENT:
            series.silence.is_open = True

    def restore(self, name: str, state: list[Any]) -> None:
        """Take over a series with the state that `MonitoredSeries.state` returned."""
        rules = self._rules
        self.series[name] = MonitoredSeries.restored(name, rules.detects(name), rules.alerts_of(name), state)

    def _reject(self, name: str) -> None:
        self.rejected += 1
        if self.rejected == 1:
            log.warning(
                "a partition has more than max_series = %d series: %r and other new series are not monitored. Raise"
                " max_series in [windows], or send fewer series",
                self._rules.max_series,
                clean(name, MAX_SHOWN_CHARACTERS),
            )

    def _series(self, name: str, moment: datetime, step: Any) -> MonitoredSeries | None:
        """The series; a new one if it is unknown, or if its step has changed. None if there is no room."""
        series = self.series.get(name)
        if series is None or (series.joined.grid.step is not step and series.joined.grid.step != step):
            if series is None and len(self.series) >= self._rules.max_series:
                self._reject(name)
                return None
            rules, joined = self._rules, JoinedSeries(SeriesGrid(moment, step))
            series = MonitoredSeries(name, joined, rules.detects(name), rules.alerts_of(name))
            self.series[name] = series
            self.notes.append((NEW, name, series.state()))
        self.changed.add(name)
        return series
