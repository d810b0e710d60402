"""Everything that the page shows, computed from the records of the topics. No I/O; the caller passes the time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fncast.dashboard.events.event import NotAnEvent, ReceivedEvent, parse
from fncast.dashboard.events.fields import UnreadableData
from fncast.dashboard.events.forecast import FORECAST_TYPE, model_name
from fncast.dashboard.events.names import short_key, shown_name
from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.events.single_reading import Decoder, UndecodableReading
from fncast.dashboard.figures.accuracy_table import ACCURACY_TYPE, AccuracyTable
from fncast.dashboard.figures.dead_letters import DeadLetters
from fncast.dashboard.figures.delay import DelayTracker, Key, PendingInput, RecordRate
from fncast.dashboard.figures.incidents import ALERT_TYPE, ANOMALY_TYPE, Incidents
from fncast.dashboard.figures.outages import OUTAGE_TYPE, RouteOutages
from fncast.dashboard.figures.recent_names import RecentNames
from fncast.dashboard.figures.training_curve import TRAINING_TYPE, TrainingCurve
from fncast.dashboard.series.series_list import SeriesList

# Forecast ids to remember. A forecast with a known id is a repeat.
MAX_IDS = 20_000
TRAINING_TOPIC = "training"


@dataclass(frozen=True, slots=True)
class PageTopics:
    """The topics that the page reads. An empty name means that the topic is not read."""

    inputs: tuple[str, ...] = ("metrics",)
    output: str = "forecasts"
    dead_letters: str = "dead-letters"
    outages: str = "outages"
    training: str = TRAINING_TOPIC
    accuracy: str = "accuracy"
    alerts: str = "alerts"

    def all(self) -> tuple[str, ...]:
        """All topic names, without empty ones."""
        topics = (*self.inputs, self.output, self.dead_letters, self.outages, self.training)
        return tuple(topic for topic in (*topics, self.accuracy, self.alerts) if topic)


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
        self._events = RecordRate(now_s)
        self._forecasts = RecordRate(now_s)
        self._other_answers = 0  # answers that are not forecasts
        self._repeats = 0
        self._forecast_ids: OrderedDict[str, None] = OrderedDict()
        self._delay = DelayTracker()
        self._dead_letters = DeadLetters()
        self._training = TrainingCurve()
        self._outages = RouteOutages()
        self._accuracy = AccuracyTable()
        self._incidents = Incidents()
        self._last_monitor_s: float | None = None
        self._series = SeriesList()
        self._requested = RecentNames()  # destinations of events
        self._answered = RecentNames()  # destinations of answered events
        self._models = RecentNames()
        self._unreadable = 0
        self._last_answer_s: float | None = None

    def add(self, record: ReceivedRecord, now_s: float) -> None:
        """Add one record. Counts a record that cannot be shown as unreadable; raises nothing."""
        if record.topic == self.topics.dead_letters:
            self._dead_letters.add(record)
        elif record.topic in self.topics.inputs:
            self._events.add(now_s, record.live)
        try:
            if self._add_readings(record, now_s):
                return
            self._add_event(parse(record), record, now_s)
        except (NotAnEvent, UnreadableData):
            self._unreadable += record.topic != self.topics.dead_letters

    def _add_event(self, event: ReceivedEvent, record: ReceivedRecord, now_s: float) -> None:
        written_s = _written_s(record, now_s)
        if record.topic == self.topics.dead_letters:
            self._delay.add_dead_letter(_key(event.source, event.id))
        elif record.topic == self.topics.output:
            self._add_answer(event, record, written_s, now_s)
        elif record.topic == self.topics.outages:
            if event.type == OUTAGE_TYPE:
                self._outages.add(event, now_s if record.live else record.timestamp_s or 0.0)
        elif record.topic == self.topics.training:
            if event.type == TRAINING_TYPE:
                self._training.add(event, written_s)
        elif record.topic in (self.topics.accuracy, self.topics.alerts):
            self._add_monitoring(event, written_s)
        else:
            self._add_input(event, record, written_s, now_s)

    def _add_monitoring(self, event: ReceivedEvent, written_s: float) -> None:
        if event.type == ACCURACY_TYPE:
            self._accuracy.add(event)
        elif event.type in (ANOMALY_TYPE, ALERT_TYPE):
            self._incidents.add(event, written_s)
        else:
            return
        self._last_monitor_s = max(written_s, self._last_monitor_s or 0.0)

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
                view.add_reading(reading)
                view.silence.add(written_s)
        return True

    def _add_input(
        self, event: ReceivedEvent, record: ReceivedRecord, written_s: float, now_s: float
    ) -> None:
        destination = shown_name(event.text("destination") or "")
        if destination:
            self._requested.add(destination, written_s)
        last: int | None = None
        try:
            holds_values = isinstance(event.data, list) or (
                isinstance(event.data, dict) and "values" in event.data
            )
            if holds_values and (view := self._series.get(event.subject, now_s)) is not None:
                last = view.add_window(event, record.timestamp_s)
                view.silence.add(written_s)
        finally:
            pending = PendingInput(record.timestamp_s, last, destination)
            self._delay.add_input(_key(event.source, event.id), pending, now_s, record.live)

    def _add_answer(
        self, event: ReceivedEvent, record: ReceivedRecord, written_s: float, now_s: float
    ) -> None:
        self._last_answer_s = max(written_s, self._last_answer_s or 0.0)
        is_forecast = event.type == FORECAST_TYPE
        if is_forecast:
            self._forecasts.add(now_s, record.live)
            self._repeats += self._is_repeat(event)
        else:
            self._other_answers += 1
        source, id = event.text("causationsource"), event.text("causationid")
        answered: PendingInput | None = None
        if source is not None and id is not None:
            answered = self._delay.add_answer(_key(source, id), record.timestamp_s, now_s, record.live)
            if answered is not None and answered.destination:
                self._answered.add(answered.destination, written_s)
        if is_forecast:
            if model := model_name(event):
                self._models.add(model, written_s)
            if (view := self._series.get(event.subject, now_s)) is not None:
                view.add_forecast(event, answered.last if answered else None)
                if view.silence.last_s is None:
                    view.silence.add(written_s)

    def _is_repeat(self, event: ReceivedEvent) -> bool:
        """Whether a forecast with this id was read before: it was delivered twice, or a replay created it again."""
        id = short_key(event.id)
        if id in self._forecast_ids:
            return True
        self._forecast_ids[id] = None
        if len(self._forecast_ids) > MAX_IDS:
            self._forecast_ids.popitem(last=False)
        return False

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
        destinations = self._answered.names() or self._requested.names()
        return {
            "events": self._events.total,
            "events_per_s": round(self._events.per_s(now_s), 2),
            "forecasts": self._forecasts.total - self._repeats,
            "forecasts_per_s": round(self._forecasts.per_s(now_s), 2),
            "others": self._other_answers,
            "repeats": self._repeats,
            "waiting": self._delay.waiting(now_s),
            "answer_age_s": _age_s(self._last_answer_s, now_s),
            "listening_s": now_s - self._since_s,
            "delay": self._delay.as_json(now_s),
            "dead_letters": self._dead_letters.total,
            "outages": self._outages.snapshot(now_s),
            "unreadable": self._unreadable,
            "destinations": destinations,
            "models": self._models.names(),
            "model_age_s": _age_s(self._models.last_s, now_s),
            "left_out": self._series.not_shown,
            "monitor_age_s": _age_s(self._last_monitor_s, now_s),
            "topics": _topics(self.topics),
        }


def _written_s(record: ReceivedRecord, now_s: float) -> float:
    """When a record was written. A timestamp in the future is wrong and counts as now."""
    return now_s if record.timestamp_s is None else min(record.timestamp_s, now_s)


def _age_s(at_s: float | None, now_s: float) -> float | None:
    return None if at_s is None else now_s - at_s


def _key(source: str, id: str) -> Key:
    return short_key(source), short_key(id)


def _topics(topics: PageTopics) -> dict[str, str]:
    return {"in": ", ".join(topics.inputs), "out": topics.output, "dead_letters": topics.dead_letters}
