"""How long to wait before the next attempt: exponential back-off with full jitter.

Source: Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
"""

from __future__ import annotations

import random
from collections.abc import Callable

BASE_S = 0.1
# The end of an outage is noticed within 5 s: this wait and the call after it must fit.
MAX_S = 2.0
# A longer Retry-After is cut to this.
MAX_RETRY_AFTER_S = 60.0


def delay_s(
    failures: int, retry_after_s: float | None, uniform: Callable[[], float] = random.random
) -> float:
    """Return the wait before the next attempt, in seconds.

    failures: in a row, at least 1. retry_after_s: the wait that the function asked for, if any.
    uniform: returns a random number in [0, 1).
    """
    jittered_s = uniform() * min(MAX_S, BASE_S * 2.0 ** min(failures - 1, 16))
    return max(jittered_s, min(retry_after_s or 0.0, MAX_RETRY_AFTER_S))
