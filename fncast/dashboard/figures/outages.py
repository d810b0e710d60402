"""Routes that consumers report as out."""

from __future__ import annotations

from typing import Any

from fncast.dashboard.events.event import ReceivedEvent
from fncast.dashboard.events.names import short_key, shown_name
from fncast.foreign_text import clean

OUTAGE_TYPE = "io.fncast.outage.v1"
# Consumers repeat an outage every 5 s. An outage that is not repeated is forgotten: its consumer has ended.
FORGET_S = 20.0
MAX_OUTAGES = 100
MAX_REASON = 300


class RouteOutages:
    """The last report of each consumer about each route."""

    def __init__(self) -> None:
        self._reports: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}

    def add(self, event: ReceivedEvent, reported_s: float) -> None:
        """Add a report.

        reported_s: when it was written, or for a live record when it was read; seconds since 1970.
        """
        data = event.data if isinstance(event.data, dict) else {}
        key = short_key(event.source), short_key(event.subject)
        self._reports.pop(key, None)
        if data.get("over") is False and len(self._reports) < MAX_OUTAGES:
            details = {name: clean(str(data.get(name) or ""), MAX_REASON) for name in ("since", "reason")}
            self._reports[key] = reported_s, {"route": shown_name(event.subject), **details}

    def snapshot(self, now_s: float) -> list[dict[str, Any]]:
        """Each route that is out, once, with the earliest `since` (RFC 3339) and its `reason`."""
        for key in [key for key, (reported_s, _) in self._reports.items() if now_s - reported_s > FORGET_S]:
            del self._reports[key]
        first: dict[str, dict[str, Any]] = {}
        for _, outage in sorted(self._reports.values(), key=lambda report: str(report[1]["since"])):
            first.setdefault(outage["route"], outage)
        return list(first.values())
