"""Detects that no events of a series arrive any more."""

from __future__ import annotations

from collections import deque

# Shorter pauses do not count as silence: batches, restarts and rebalances take this long.
MIN_SILENT_S = 300.0
# A series is silent after this many times its longest recent gap between two events.
GAPS = 3.0
KEPT_GAPS = 16
# With fewer gaps than this, the step of the series counts as a gap, too.
FEW_GAPS = 4


class SilenceDetector:
    """Remembers when the events of one series were written, in seconds since 1970.

    last_s: the newest event, None before the first.
    """

    def __init__(self) -> None:
        self.last_s: float | None = None
        self._gaps_s: deque[float] = deque(maxlen=KEPT_GAPS)

    def add(self, at_s: float) -> None:
        """Add an event that was written at `at_s`. Ignores an event older than the newest one."""
        if self.last_s is not None:
            if at_s < self.last_s:
                return
            self._gaps_s.append(at_s - self.last_s)
        self.last_s = at_s

    def limit_s(self, step_s: float) -> float:
        """Seconds after the last event from which the series counts as silent.

        step_s: seconds between two readings; 0 if unknown.
        """
        expected_s = max(self._gaps_s, default=0.0)
        if len(self._gaps_s) < FEW_GAPS:
            expected_s = max(expected_s, step_s)
        return max(MIN_SILENT_S, GAPS * expected_s)
