"""Names that were heard lately, such as the models of the latest forecasts."""

from __future__ import annotations

from collections import OrderedDict

# A name not heard for so long before the newest one is not shown any more.
RECENT_S = 60.0
MAX_NAMES = 20


class RecentNames:
    """Fed with names and the times at which they were written, in seconds since 1970."""

    def __init__(self) -> None:
        self._heard_s: OrderedDict[str, float] = OrderedDict()  # longest not heard first

    @property
    def last_s(self) -> float | None:
        """When a name was heard last; None before the first."""
        return max(self._heard_s.values(), default=None)

    def hear(self, name: str, at_s: float) -> None:
        self._heard_s[name] = max(at_s, self._heard_s.pop(name, at_s))
        if len(self._heard_s) > MAX_NAMES:
            self._heard_s.popitem(last=False)

    def names(self) -> list[str]:
        """Those heard within RECENT_S of the newest, in alphabetical order."""
        newest_s = self.last_s
        return sorted(
            name for name, at_s in self._heard_s.items() if newest_s is None or newest_s - at_s <= RECENT_S
        )
