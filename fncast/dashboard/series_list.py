"""The series of the page: as many as it can show, a silent one makes room for a new one."""

from __future__ import annotations

from collections.abc import Iterator

from fncast.dashboard.names import short_key, shown_name
from fncast.dashboard.series_view import SeriesView

MAX_SERIES = 200
# Names of series without room that are remembered, to be counted once each.
MAX_COUNTED = 100_000
# While there is no room, a silent series is looked for this often.
LOOK_S = 1.0


class SeriesList:
    """Series by the name that is shown. A series that is heard keeps its place, however many others come."""

    def __init__(self) -> None:
        self._views: dict[str, SeriesView] = {}
        self._gone: dict[str, None] = {}
        self._left_out: set[str] = set()
        self._look_at_s = 0.0

    def __iter__(self) -> Iterator[SeriesView]:
        """The series that have something to show."""
        return (view for view in self._views.values() if view)

    @property
    def left_out(self) -> int:
        """How many other series there were no places for; at most MAX_COUNTED."""
        return len(self._left_out)

    def get(self, subject: str, now_s: float) -> SeriesView | None:
        """The series of this name, begun if there is room; None if there is none."""
        name = shown_name(subject)
        view = self._views.get(name)
        if view is None:
            if len(self._views) >= MAX_SERIES and not self._make_room(now_s):
                if len(self._left_out) < MAX_COUNTED:
                    self._left_out.add(short_key(subject))
                return None
            view = self._views[name] = SeriesView(name)
            self._gone.pop(name, None)
            self._left_out.discard(short_key(subject))
        return view

    def take_gone(self) -> list[str]:
        """The names that made room since the last call."""
        gone, self._gone = list(self._gone), {}
        return gone

    def _make_room(self, now_s: float) -> bool:
        if now_s < self._look_at_s:
            return False
        quiet = [view for view in self._views.values() if not view or view.is_silent(now_s)]
        if not quiet:
            self._look_at_s = now_s + LOOK_S
            return False
        quietest = min(quiet, key=lambda view: view.silence.heard_s or 0.0)
        del self._views[quietest.name]
        if quietest:
            self._gone[quietest.name] = None
        return True
