"""Names seen recently, for example the models of the latest forecasts."""

from __future__ import annotations

from collections import OrderedDict

# A name is recent if it was seen at most this long before the newest one.
RECENT_S = 60.0
MAX_NAMES = 20


class RecentNames:
    """Collects names and when they were written, in seconds since 1970."""

    def __init__(self) -> None:
        self._seen_s: OrderedDict[str, float] = OrderedDict()  # least recently added first

    @property
    def last_s(self) -> float | None:
        """When the newest name was written; None before the first name."""
        return max(self._seen_s.values(), default=None)

    def add(self, name: str, at_s: float) -> None:
        """Add a name. Drops the least recently added one beyond MAX_NAMES."""
        self._seen_s[name] = max(at_s, self._seen_s.pop(name, at_s))
        if len(self._seen_s) > MAX_NAMES:
            self._seen_s.popitem(last=False)

    def names(self) -> list[str]:
        """The names written within RECENT_S before the newest one, in alphabetical order."""
        newest_s = self.last_s
        return sorted(
            name for name, at_s in self._seen_s.items() if newest_s is None or newest_s - at_s <= RECENT_S
        )
