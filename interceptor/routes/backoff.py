"""How long to wait before another attempt: exponential, with full jitter.

Source: Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
"""

from __future__ import annotations

import random
from collections.abc import Callable

BASE_S = 0.1
# An outage is noticed to be over within 5 s: this and the call that follows must fit.
MAX_S = 2.0
# A peer that asks for more patience than this is asked again all the same.
MAX_RETRY_AFTER_S = 60.0


def delay_s(
    failures: int, retry_after_s: float | None, uniform: Callable[[], float] = random.random
) -> float:
    """The wait before the next attempt. failures: in a row, at least 1. uniform: a number in [0, 1)."""
    jittered = uniform() * min(MAX_S, BASE_S * 2.0 ** min(failures - 1, 16))
    return max(jittered, min(retry_after_s or 0.0, MAX_RETRY_AFTER_S))
