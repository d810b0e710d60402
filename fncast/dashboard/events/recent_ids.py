"""The ids of recent events."""

from __future__ import annotations

from fncast.dashboard.events.names import short_key


class RecentIds:
    """Remembers the ids of the last events. An event with a known id is a repeat: it was delivered or created again."""

    def __init__(self, limit: int) -> None:
        """limit: how many ids are remembered."""
        self._limit = limit
        self._ids: dict[str, None] = {}  # the oldest first

    def __contains__(self, event_id: str) -> bool:
        return short_key(event_id) in self._ids

    def add(self, event_id: str) -> None:
        """Remember an id. Forgets the oldest one beyond the limit."""
        self._ids[short_key(event_id)] = None
        if len(self._ids) > self._limit:
            del self._ids[next(iter(self._ids))]
