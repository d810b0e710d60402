"""When a series was heard last, and from when on it is silent."""

from __future__ import annotations

from collections import deque

# Silence shorter than this is never told: batches, restarts and rebalances take as long.
MIN_SILENT_S = 300.0
# Of the longest recent gap between two events of the series.
GAPS = 3.0
KEPT_GAPS = 16
# With fewer gaps than this the series' own step says how often it is to be expected.
FEW_GAPS = 4


class SilenceDetector:
    """Times are seconds since 1970, on the clock of the records."""

    def __init__(self) -> None:
        self.heard_s: float | None = None
        self._gaps_s: deque[float] = deque(maxlen=KEPT_GAPS)

    def hear(self, at_s: float) -> None:
        """An event of the series, written at `at_s`. One that is read late changes nothing."""
        if self.heard_s is not None:
            if at_s < self.heard_s:
                return
            self._gaps_s.append(at_s - self.heard_s)
        self.heard_s = at_s

    def limit_s(self, step_s: float) -> float:
        """How long after the last event the series counts as silent. step_s: between two readings; 0: unknown."""
        expected_s = max(self._gaps_s, default=0.0)
        if len(self._gaps_s) < FEW_GAPS:
            expected_s = max(expected_s, step_s)
        return max(MIN_SILENT_S, GAPS * expected_s)
