"""Recognises a silent series: no readings for longer than before, by the timestamps of their records."""

from __future__ import annotations

from dataclasses import dataclass

# A silence is unusual if it is this many times as long as the longest before it.
LONGER = 1.5


@dataclass(slots=True)
class Silence:
    """When the readings of one series came.

    last_ms: the newest timestamp, in milliseconds since 1970; -1 before the first. longest_ms: the longest time between
    two readings, without silences. readings: their number. is_open: whether the series is silent.
    """

    last_ms: int = -1
    longest_ms: int = 0
    readings: int = 0
    is_open: bool = False

    def arrived(self, at_ms: int) -> bool:
        """Note that a reading came. at_ms: timestamp of its record. Returns whether this ends a silence."""
        if self.last_ms >= 0 and not self.is_open:
            self.longest_ms = max(self.longest_ms, at_ms - self.last_ms)
        self.last_ms = max(self.last_ms, at_ms)
        self.readings += 1
        ended, self.is_open = self.is_open, False
        return ended

    def begins(self, now_ms: int, step_ms: float, steps: int, min_history: int) -> bool:
        """Note the time. Returns whether a silence begins.

        now_ms: since 1970. step_ms: between two readings. steps: a silence is longer than this many; 0 for never.
        min_history: no silence begins before more readings than this.
        """
        if self.is_open or not steps or self.readings <= min_history:
            return False
        self.is_open = now_ms - self.last_ms > max(steps * step_ms, LONGER * self.longest_ms)
        return self.is_open
