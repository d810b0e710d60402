"""All that the page shows, built from the records of the topics. No I/O, no clock of its own."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from fncast.dashboard.dead_letters import DeadLetters
from fncast.dashboard.event import Event, NotAnEvent, parse
from fncast.dashboard.flow import Delay, Input, Rate
from fncast.dashboard.forecast import FORECAST_TYPE, model_name
from fncast.dashboard.outages import OUTAGE_TYPE, Outages
from fncast.dashboard.readings import UnreadableData
from fncast.dashboard.record import Record
from fncast.dashboard.series_view import SeriesView
from fncast.dashboard.training import TRAINING_TYPE, Training

# Series on the page; the one that has been quiet longest makes room for another.
MAX_SERIES = 200
TRAINING_TOPIC = "training"


@dataclass(frozen=True, slots=True)
class Topics:
    """Which topics hold what."""

    inputs: tuple[str, ...] = ("metrics",)
    output: str = "forecasts"
    dead_letters: str = "dead-letters"
    outages: str = "outages"
    training: str = TRAINING_TOPIC

    def all(self) -> tuple[str, ...]:
        named = (*self.inputs, self.output, self.dead_letters, self.outages, self.training)
        return tuple(topic for topic in named if topic)


class Board:
    """Fed record by record; tells everything, or what changed since the last time."""

    def __init__(self, topics: Topics, now_s: float) -> None:
        self.topics = topics
        self._since_s = now_s
        self._events = Rate(now_s)
        self._forecasts = Rate(now_s)
        self._delay = Delay()
        self._dead_letters = DeadLetters()
        self._training = Training()
        self._outages = Outages()
        self._series: OrderedDict[str, SeriesView] = OrderedDict()  # quiet longest first
        self._gone: dict[str, None] = {}
        self._destination = ""
        self._model = ""
        self._unreadable = 0
        self._last_forecast_s: float | None = None

    def add(self, record: Record, now_s: float) -> None:
        """Take in one record. One that cannot be shown is counted as unreadable; nothing is raised."""
        if record.topic == self.topics.dead_letters:
            self._dead_letters.add(record)
            return
        if record.topic == self.topics.output:
            self._forecasts.add(now_s, record.live)
            self._last_forecast_s = now_s
        elif record.topic in self.topics.inputs:
            self._events.add(now_s, record.live)
        try:
            self._add_event(parse(record), record, now_s)
        except (NotAnEvent, UnreadableData):
            self._unreadable += 1

    def _add_event(self, event: Event, record: Record, now_s: float) -> None:
        if record.topic == self.topics.output:
            cause = event.text("causationsource"), event.text("causationid")
            one = None
            if cause[0] is not None and cause[1] is not None:
                one = self._delay.add_forecast((cause[0], cause[1]), record.timestamp_s, now_s)
            if event.type == FORECAST_TYPE:
                self._model = model_name(event) or self._model
                self._view(event.subject).add_forecast(event, one.last if one else None)
        elif record.topic == self.topics.outages:
            if event.type == OUTAGE_TYPE:
                self._outages.add(event, now_s if record.live else record.timestamp_s or 0.0)
        elif record.topic == self.topics.training:
            if event.type == TRAINING_TYPE:
                self._training.add(event)
        else:
            self._destination = event.text("destination") or self._destination
            last: int | None = None
            try:
                if isinstance(event.data, list) or (isinstance(event.data, dict) and "values" in event.data):
                    last = self._view(event.subject).add_window(event, record.timestamp_s)
            finally:
                self._delay.add_input((event.source, event.id), Input(record.timestamp_s, last), now_s)

    def snapshot(self, now_s: float) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return {
            "totals": self._totals(now_s),
            "dead_letters": self._dead_letters.snapshot(),
            "training": self._training.snapshot(),
            "series": [view.snapshot() for view in self._series.values() if view],
        }

    def take_changes(self, now_s: float) -> dict[str, Any]:
        """What changed since the last call: the totals always, of the rest only what is new."""
        changes: dict[str, Any] = {"totals": self._totals(now_s)}
        series = [one for view in self._series.values() if view and (one := view.take_changes())]
        gone, self._gone = list(self._gone), {}
        parts = {
            "series": series,
            "gone": gone,
            "dead_letters": self._dead_letters.take_changes(),
            "training": self._training.take_changes(),
        }
        changes.update({name: part for name, part in parts.items() if part})
        return changes

    def _totals(self, now_s: float) -> dict[str, Any]:
        since = None if self._last_forecast_s is None else now_s - self._last_forecast_s
        return {
            "events": self._events.total,
            "events_per_s": round(self._events.per_s(now_s), 2),
            "forecasts": self._forecasts.total,
            "forecasts_per_s": round(self._forecasts.per_s(now_s), 2),
            "forecast_age_s": since,
            "listening_s": now_s - self._since_s,
            "delay": self._delay.as_json(now_s),
            "dead_letters": self._dead_letters.total,
            "outages": self._outages.snapshot(now_s),
            "unreadable": self._unreadable,
            "destination": self._destination,
            "model": self._model,
            "topics": _topics(self.topics),
        }

    def _view(self, name: str) -> SeriesView:
        view = self._series.get(name)
        if view is None:
            if len(self._series) >= MAX_SERIES:
                quiet, _ = self._series.popitem(last=False)
                self._gone[quiet] = None
            view = self._series[name] = SeriesView(name)
            self._gone.pop(name, None)
        self._series.move_to_end(name)
        return view


def _topics(topics: Topics) -> dict[str, str]:
    return {"in": ", ".join(topics.inputs), "out": topics.output, "dead_letters": topics.dead_letters}
