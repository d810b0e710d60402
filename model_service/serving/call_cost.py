"""Estimates how long a call of a model takes."""

from __future__ import annotations

import math
from collections import deque


class CallCost:
    """Estimates how long a call takes, by the power of two of its rows.

    The estimate is the minimum of the last few calls, which leaves out delays by a busy machine or by waiting for the
    GIL. A mean would include the delays of the thread, and keep a fast model in the thread forever.
    """

    REMEMBERED_CALLS = 4  # per size

    def __init__(self) -> None:
        self._seconds: dict[int, deque[float]] = {}

    def observe(self, rows: int, seconds: float) -> None:
        """Remember how long a call with this many rows took."""
        size = rows.bit_length()
        last = self._seconds.get(size)
        if last is None:
            last = self._seconds[size] = deque(maxlen=self.REMEMBERED_CALLS)
        last.append(seconds)

    def expected_s(self, rows: int) -> float:
        """Expected seconds of a call; infinite before the first call of this size."""
        last = self._seconds.get(rows.bit_length())
        return min(last) if last else math.inf
