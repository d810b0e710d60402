"""Everything that the page shows, computed from the records of the topics. No I/O; the caller passes the time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fncast.dashboard.events.event import NotAnEvent, ReceivedEvent, parse
from fncast.dashboard.events.fields import UnreadableData
from fncast.dashboard.events.forecast import FORECAST_TYPE
from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.events.single_reading import Decoder, UndecodableReading
from fncast.dashboard.figures.accuracy_table import ACCURACY_TYPE, AccuracyTable
from fncast.dashboard.figures.dead_letters import DeadLetters
from fncast.dashboard.figures.incidents import ALERT_TYPE, ANOMALY_TYPE, Incidents
from fncast.dashboard.figures.outages import OUTAGE_TYPE, RouteOutages
from fncast.dashboard.figures.traffic import Traffic, age_s
from fncast.dashboard.figures.training_curve import TRAINING_TYPE, TrainingCurve
from fncast.dashboard.series.series_list import SeriesList
from fncast.dashboard.topics import PageTopics


class PageState:
    """Collects records. Returns the whole state as a snapshot, or the changes since the last call.

    Times are seconds since 1970.
    """

    def __init__(
        self, topics: PageTopics, now_s: float, decoders: Mapping[str, Decoder] | None = None
    ) -> None:
        """decoders: by input topic, for topics with single readings instead of windows."""
        self.topics = topics
        self._decoders = dict(decoders or {})
        self._since_s = now_s
        self._traffic = Traffic(now_s)
        self._series = SeriesList()
        self._dead_letters = DeadLetters()
        self._outages = RouteOutages()
        self._training = TrainingCurve()
        self._accuracy = AccuracyTable()
        self._incidents = Incidents()
        self._last_monitor_s: float | None = None
        self._unreadable = 0

    def add(self, record: ReceivedRecord, now_s: float) -> None:
        """Add one record. Counts a record that cannot be shown as unreadable; raises nothing."""
        if record.topic == self.topics.dead_letters:
            self._dead_letters.add(record)
        elif record.topic in self.topics.inputs:
            self._traffic.count_input(record, now_s)
        try:
            if self._add_readings(record, now_s):
                return
            self._add_event(parse(record), record, now_s)
        except (NotAnEvent, UnreadableData):
            self._unreadable += record.topic != self.topics.dead_letters

    def snapshot(self, now_s: float) -> dict[str, Any]:
        """The whole state as JSON values."""
        return {
            "totals": self._totals(now_s),
            "dead_letters": self._dead_letters.snapshot(),
            "training": self._training.snapshot(),
            "accuracy": self._accuracy.snapshot(),
            "incidents": self._incidents.snapshot(),
            "series": [view.snapshot() for view in self._series],
        }

    def take_changes(self, now_s: float) -> dict[str, Any]:
        """The changes since the last call as JSON values: always the totals, and the other parts if they changed."""
        changes: dict[str, Any] = {"totals": self._totals(now_s)}
        parts = {
            "series": [changed for view in self._series if (changed := view.take_changes())],
            "gone": self._series.take_removed(),
            "dead_letters": self._dead_letters.take_changes(),
            "training": self._training.take_changes(),
            "accuracy": self._accuracy.take_changes(now_s),
            "incidents": self._incidents.take_changes(),
        }
        changes.update({name: part for name, part in parts.items() if part})
        return changes

    def _totals(self, now_s: float) -> dict[str, Any]:
        return {
            **self._traffic.as_json(now_s),
            "listening_s": now_s - self._since_s,
            "dead_letters": self._dead_letters.total,
            "outages": self._outages.snapshot(now_s),
            "unreadable": self._unreadable,
            "left_out": self._series.not_shown,
            "monitor_age_s": age_s(self._last_monitor_s, now_s),
            "topics": self.topics.as_json(),
        }

    def _add_readings(self, record: ReceivedRecord, now_s: float) -> bool:
        """Add single readings. Returns False if the record is not one of a topic with readings: it may be an event."""
        decoder = self._decoders.get(record.topic)
        if decoder is None:
            return False
        try:
            readings = decoder(record)
        except UndecodableReading:
            return False
        written_s = _written_s(record, now_s)
        for reading in readings:
            if (view := self._series.get(reading.series, now_s)) is not None:
                view.add_reading(reading, written_s)
                view.silence.add(written_s)
        return True

    def _add_event(self, event: ReceivedEvent, record: ReceivedRecord, now_s: float) -> None:
        topics, written_s = self.topics, _written_s(record, now_s)
        if record.topic == topics.dead_letters:
            self._traffic.add_dead_letter(event)
        elif record.topic == topics.output:
            self._add_answer(event, record, written_s, now_s)
        elif record.topic == topics.outages:
            if event.type == OUTAGE_TYPE:
                self._outages.add(event, now_s if record.is_live else min(record.timestamp_s or 0.0, now_s))
        elif record.topic == topics.training:
            if event.type == TRAINING_TYPE:
                self._training.add(event, written_s)
        elif record.topic in (topics.accuracy, topics.alerts):
            self._add_report(event, written_s)
        else:
            self._add_input(event, record, written_s, now_s)

    def _add_answer(
        self, event: ReceivedEvent, record: ReceivedRecord, written_s: float, now_s: float
    ) -> None:
        answered = self._traffic.add_answer(event, record, written_s, now_s)
        if event.type != FORECAST_TYPE:
            return
        if (view := self._series.get(event.subject, now_s)) is not None:
            view.add_forecast(event, answered.last if answered else None)
            if view.silence.last_s is None:
                view.silence.add(written_s)

    def _add_report(self, event: ReceivedEvent, written_s: float) -> None:
        """Add an event of the monitor."""
        if event.type == ACCURACY_TYPE:
            self._accuracy.add(event)
        elif event.type in (ANOMALY_TYPE, ALERT_TYPE):
            self._incidents.add(event, written_s)
        else:
            return
        self._last_monitor_s = max(written_s, self._last_monitor_s or 0.0)

    def _add_input(
        self, event: ReceivedEvent, record: ReceivedRecord, written_s: float, now_s: float
    ) -> None:
        last: int | None = None
        try:
            holds_values = isinstance(event.data, list) or (
                isinstance(event.data, dict) and "values" in event.data
            )
            if holds_values and (view := self._series.get(event.subject, now_s)) is not None:
                last = view.add_window(event, record.timestamp_s)
                view.silence.add(written_s)
        finally:  # an event whose readings cannot be shown has an answer, too
            self._traffic.add_input(event, record, last, written_s, now_s)


def _written_s(record: ReceivedRecord, now_s: float) -> float:
    """When a record was written. A timestamp in the future is wrong and counts as now."""
    return now_s if record.timestamp_s is None else min(record.timestamp_s, now_s)
