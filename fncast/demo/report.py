"""Messages of the demo's processes for its terminal."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

Report = Callable[[str, str], None]
"""Shows a message. Gets a process's name and the message."""


class ReportLimit:
    """Bounds how many messages are shown in a period."""

    def __init__(self, messages: int, period_s: float) -> None:
        self._shown_s: deque[float] = deque(maxlen=messages)
        self._period_s = period_s

    def allows(self, now_s: float) -> bool:
        """Whether one more message may be shown now. It then counts as shown. now_s: monotonic."""
        is_full = len(self._shown_s) == self._shown_s.maxlen
        if is_full and now_s - self._shown_s[0] < self._period_s:
            return False
        self._shown_s.append(now_s)
        return True
