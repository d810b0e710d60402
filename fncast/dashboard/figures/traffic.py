"""The events of the input topics and their answers: counts, rates, delays, destinations and models."""

from __future__ import annotations

from typing import Any

from fncast.dashboard.events.event import ReceivedEvent
from fncast.dashboard.events.forecast import FORECAST_TYPE, model_name
from fncast.dashboard.events.names import short_key, shown_name
from fncast.dashboard.events.recent_ids import RecentIds
from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.figures.delay import DelayTracker, Key, PendingInput
from fncast.dashboard.figures.recent_names import RecentNames
from fncast.dashboard.figures.record_rate import RecordRate

# Forecast ids to remember.
MAX_IDS = 20_000


class Traffic:
    """Counts events and answers, and matches them. Times are seconds since 1970."""

    def __init__(self, now_s: float) -> None:
        self._events = RecordRate(now_s)
        self._forecasts = RecordRate(now_s)
        self._other_answers = 0  # answers that are not forecasts
        self._repeats = 0
        self._forecast_ids = RecentIds(MAX_IDS)
        self._delay = DelayTracker()
        self._requested = RecentNames()  # destinations of events
        self._answered = RecentNames()  # destinations of answered events
        self._models = RecentNames()
        self._last_answer_s: float | None = None

    def count_input(self, record: ReceivedRecord, now_s: float) -> None:
        """Count a record of an input topic. It does not have to be an event."""
        self._events.add(now_s, record.is_live)

    def add_input(
        self, event: ReceivedEvent, record: ReceivedRecord, last: int | None, written_s: float, now_s: float
    ) -> None:
        """Add an event of an input topic. last: the index of its last reading, None if it has no readings."""
        destination = shown_name(event.text("destination") or "")
        if destination:
            self._requested.add(destination, written_s)
        place = (record.topic, record.partition)
        pending = PendingInput(record.timestamp_s, last, destination, place, record.offset)
        self._delay.add_input(_key(event.source, event.id), pending, now_s, record.is_live)

    def add_answer(
        self, event: ReceivedEvent, record: ReceivedRecord, written_s: float, now_s: float
    ) -> PendingInput | None:
        """Add an event of the output topic. Returns the input that it answers, if that was read before."""
        self._last_answer_s = max(written_s, self._last_answer_s or 0.0)
        if event.type == FORECAST_TYPE:
            self._forecasts.add(now_s, record.is_live)
            self._repeats += event.id in self._forecast_ids
            self._forecast_ids.add(event.id)
            if model := model_name(event):
                self._models.add(model, written_s)
        else:
            self._other_answers += 1
        source, id = event.text("causationsource"), event.text("causationid")
        if source is None or id is None:
            return None
        answered = self._delay.add_answer(_key(source, id), record.timestamp_s, now_s, record.is_live)
        if answered is not None and answered.destination:
            self._answered.add(answered.destination, written_s)
        return answered

    def add_dead_letter(self, event: ReceivedEvent) -> None:
        """Stop waiting for the answer to an event that became a dead letter."""
        self._delay.add_dead_letter(_key(event.source, event.id))

    def as_json(self, now_s: float) -> dict[str, Any]:
        """All figures as JSON values."""
        return {
            "events": self._events.total,
            "events_per_s": round(self._events.per_s(now_s), 2),
            "forecasts": self._forecasts.total - self._repeats,
            "forecasts_per_s": round(self._forecasts.per_s(now_s), 2),
            "others": self._other_answers,
            "repeats": self._repeats,
            "waiting": self._delay.waiting(now_s),
            "answer_age_s": age_s(self._last_answer_s, now_s),
            "delay": self._delay.as_json(now_s),
            "destinations": self._answered.names() or self._requested.names(),
            "models": self._models.names(),
            "model_age_s": age_s(self._models.last_s, now_s),
        }


def age_s(at_s: float | None, now_s: float) -> float | None:
    """Seconds since `at_s`; None if that is None."""
    return None if at_s is None else now_s - at_s


def _key(source: str, id: str) -> Key:
    return short_key(source), short_key(id)
