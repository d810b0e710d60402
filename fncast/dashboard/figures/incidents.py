"""Anomalies and alerts, as the monitor reports them: those that are open, and the last ones that closed."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any

from fncast.dashboard.events.event import ReceivedEvent
from fncast.dashboard.events.fields import UnreadableData, finite_number, seconds_of
from fncast.dashboard.events.forecast import model_name
from fncast.dashboard.events.names import short_key, shown_name
from fncast.dashboard.events.recent_ids import RecentIds
from fncast.foreign_text import clean

ANOMALY_TYPE, ALERT_TYPE = "io.fncast.anomaly.v1", "io.fncast.alert.v1"
# Open incidents to keep. Older ones are only counted.
MAX_OPEN, MAX_COUNTED = 200, 100_000
MAX_CLOSED = 20
# Ids of events to remember: a repeated one must not open an incident again.
MAX_IDS = 2000
MAX_WORD = 40

Key = tuple[str, str, str, str]

ANOMALY_NUMBERS = ("value", "expected", "low", "high", "score", "readings")
ANOMALY_TIMES = {"start_s": "start", "peak_s": "time", "end_s": "end"}
ALERT_NUMBERS = ("threshold", "probability", "skill")


class Incidents:
    """The anomalies and alerts of all series."""

    def __init__(self) -> None:
        self._open: OrderedDict[Key, dict[str, Any]] = OrderedDict()
        self._closed: deque[dict[str, Any]] = deque(maxlen=MAX_CLOSED)
        self._left_out: set[Key] = set()
        self._ids = RecentIds(MAX_IDS)
        self._changed = False

    def add(self, event: ReceivedEvent, at_s: float) -> None:
        """Add an event that opens or closes an incident. at_s: when it was written. Raises UnreadableData."""
        data = event.data
        state = data.get("state") if isinstance(data, dict) else None
        if state not in ("open", "closed"):
            raise UnreadableData("the data of an anomaly or an alert has no state, open or closed")
        if event.id in self._ids:
            return
        self._ids.add(event.id)
        key, incident = _read(event, data)
        self._changed = True
        if state == "open":
            self._open[key] = {**incident, "opened_s": at_s, "closed_s": None}
            self._open.move_to_end(key)
            self._left_out.discard(key)
            if len(self._open) > MAX_OPEN:
                oldest, _ = self._open.popitem(last=False)
                if len(self._left_out) < MAX_COUNTED:
                    self._left_out.add(oldest)
            return
        opened = self._open.pop(key, None)
        self._left_out.discard(key)
        if incident["what"] == "alert" and opened is not None:
            incident = opened  # its closing event has the figures of a forecast that crosses nothing
        opened_s = opened["opened_s"] if opened is not None else None
        self._closed.appendleft({**incident, "opened_s": opened_s, "closed_s": at_s})

    def snapshot(self) -> dict[str, Any]:
        """Open incidents and the last closed ones, both with the newest first."""
        return {
            "open": list(reversed(self._open.values())),
            "closed": list(self._closed),
            "left_out": len(self._left_out),
        }

    def take_changes(self) -> dict[str, Any] | None:
        """A snapshot if something changed since the last call, else None."""
        changed, self._changed = self._changed, False
        return self.snapshot() if changed else None


def _read(event: ReceivedEvent, data: dict[str, Any]) -> tuple[Key, dict[str, Any]]:
    """The incident of an event, and what identifies it among the open ones."""
    series, destination = shown_name(event.subject), shown_name(event.text("destination") or "")
    common = {"series": series, "destination": destination, "model": model_name(event)}
    if event.type == ANOMALY_TYPE:
        kind = clean(str(data.get("kind") or ""), MAX_WORD)
        times = {name: seconds_of(data.get(field)) for name, field in ANOMALY_TIMES.items()}
        numbers = {name: finite_number(data.get(name)) for name in ANOMALY_NUMBERS}
        # A series has at most one episode, and may be silent at the same time.
        key = "anomaly", short_key(event.subject), "silent" if kind == "silent" else "", ""
        return key, {"what": "anomaly", "kind": kind, **common, **times, **numbers}
    rule = shown_name(str(data.get("rule") or ""))
    is_about_a_model = "model" in data
    key = "alert", short_key(event.subject), rule, common["model"] if is_about_a_model else ""
    return key, {
        "what": "alert",
        "rule": rule,
        "is_about_model": is_about_a_model,
        "direction": "below" if data.get("direction") == "below" else "above",
        "start_s": seconds_of(event.text("time")),
        "expected_s": seconds_of(data.get("expected_at")),
        **common,
        **{name: finite_number(data.get(name)) for name in ALERT_NUMBERS},
    }
