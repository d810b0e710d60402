"""Spreads events evenly over time."""

from __future__ import annotations

import time
from collections.abc import Callable

# After a delay (for example a full queue), catch up at most this much at once.
MAX_BURST_S = 1.0


class RateLimiter:
    """Limits events to `events_per_s` per second on a fixed schedule; None means no limit."""

    def __init__(
        self,
        events_per_s: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raises ValueError unless the rate is positive and finite."""
        if events_per_s is not None and not 0 < events_per_s < float("inf"):
            raise ValueError(f"the rate must be a positive number of events per second, not {events_per_s:g}")
        self._interval_s = 1 / events_per_s if events_per_s else 0.0
        self._sleep = sleep
        self._clock = clock
        self._due_s = clock()

    def wait(self) -> None:
        """Wait until the next event is due."""
        if not self._interval_s:
            return
        now_s = self._clock()
        self._due_s = max(self._due_s, now_s - MAX_BURST_S)
        if self._due_s > now_s:
            self._sleep(self._due_s - now_s)
        self._due_s += self._interval_s
