"""Routes that are out, as the consumers tell it."""

from __future__ import annotations

from typing import Any

from fncast.dashboard.event import ReceivedEvent
from fncast.dashboard.names import short_key, shown_name
from fncast.foreign_text import clean

OUTAGE_TYPE = "io.fncast.outage.v1"
# A consumer tells it every 5 s while it lasts; one that has ended tells nothing more.
FORGET_S = 20.0
MAX_OUTAGES = 100
MAX_REASON = 300


class RouteOutages:
    """By consumer and route; of each the last word."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}

    def add(self, event: ReceivedEvent, told_at_s: float) -> None:
        """told_at_s: when it was told, or read where it came live."""
        data = event.data if isinstance(event.data, dict) else {}
        key = short_key(event.source), short_key(event.subject)
        self._heard.pop(key, None)
        if data.get("over") is False and len(self._heard) < MAX_OUTAGES:
            told = {name: clean(str(data.get(name) or ""), MAX_REASON) for name in ("since", "reason")}
            self._heard[key] = told_at_s, {"route": shown_name(event.subject), **told}

    def snapshot(self, now_s: float) -> list[dict[str, Any]]:
        """Each route that is out once, with the earliest `since` (RFC 3339) and its `reason`."""
        for key in [key for key, (told_at_s, _) in self._heard.items() if now_s - told_at_s > FORGET_S]:
            del self._heard[key]
        first: dict[str, dict[str, Any]] = {}
        for _, told in sorted(self._heard.values(), key=lambda one: str(one[1]["since"])):
            first.setdefault(told["route"], told)
        return list(first.values())
