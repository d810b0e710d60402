"""Records per second."""

from __future__ import annotations

import math
from collections import deque

RATE_WINDOW_S = 10  # long enough for a steady figure, short enough to show changes


class RecordRate:
    """Records per second, averaged over the last RATE_WINDOW_S."""

    def __init__(self, now_s: float) -> None:
        self.total = 0
        self._since_s = now_s
        self._buckets: deque[tuple[int, int]] = deque()  # (second, records in it)

    def add(self, now_s: float, is_live: bool) -> None:
        """Count a record. A record that is not live counts only in the total."""
        self.total += 1
        if not is_live:
            return
        second = math.floor(now_s)
        if self._buckets and self._buckets[-1][0] > second:
            self._buckets.clear()  # the clock was set back
        if self._buckets and self._buckets[-1][0] == second:
            self._buckets[-1] = second, self._buckets[-1][1] + 1
        else:
            self._buckets.append((second, 1))
            self._forget(now_s)

    def per_s(self, now_s: float) -> float:
        """The current rate. In the first seconds, the average since the start."""
        self._forget(now_s)
        window_s = min(RATE_WINDOW_S, max(1.0, now_s - self._since_s))
        return sum(count for _, count in self._buckets) / window_s

    def _forget(self, now_s: float) -> None:
        while self._buckets and self._buckets[0][0] <= now_s - RATE_WINDOW_S:
            self._buckets.popleft()
