"""The series that the page shows: at most MAX_SERIES. A new series replaces a silent one."""

from __future__ import annotations

from collections.abc import Iterator

from fncast.dashboard.events.names import short_key, shown_name
from fncast.dashboard.series.series_view import SeriesView

MAX_SERIES = 200
# Names of series that are not shown, kept so that each one is counted once.
MAX_COUNTED = 100_000
# Minimum time between two searches for a silent series.
SEARCH_S = 1.0


class SeriesList:
    """The shown series by name. A series keeps its place until it is silent and another one needs it."""

    def __init__(self) -> None:
        self._views: dict[str, SeriesView] = {}
        self._removed: dict[str, None] = {}
        self._not_shown: set[str] = set()
        self._search_at_s = 0.0

    def __iter__(self) -> Iterator[SeriesView]:
        """The series that have something to show."""
        return (view for view in self._views.values() if view)

    @property
    def not_shown(self) -> int:
        """How many series are not shown because there was no room; at most MAX_COUNTED."""
        return len(self._not_shown)

    def get(self, subject: str, now_s: float) -> SeriesView | None:
        """The series with this name. Creates it if there is room, else returns None."""
        name = shown_name(subject)
        view = self._views.get(name)
        if view is None:
            if len(self._views) >= MAX_SERIES and not self._make_room(now_s):
                if len(self._not_shown) < MAX_COUNTED:
                    self._not_shown.add(short_key(subject))
                return None
            view = self._views[name] = SeriesView(name)
            self._removed.pop(name, None)
            self._not_shown.discard(short_key(subject))
        return view

    def take_removed(self) -> list[str]:
        """The names of series that were replaced since the last call."""
        removed, self._removed = list(self._removed), {}
        return removed

    def _make_room(self, now_s: float) -> bool:
        if self._search_at_s - SEARCH_S <= now_s < self._search_at_s:
            return False
        silent = [view for view in self._views.values() if not view or view.is_silent(now_s)]
        if not silent:
            self._search_at_s = now_s + SEARCH_S
            return False
        longest_silent = min(silent, key=lambda view: view.silence.last_s or 0.0)
        del self._views[longest_silent.name]
        if longest_silent:
            self._removed[longest_silent.name] = None
        return True
