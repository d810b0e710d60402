"""What `deliver` remembers of a delivery between calls."""

from __future__ import annotations

import sys

import msgspec


class Retry(msgspec.Struct, eq=False):
    """Created when a call fails. It outlives a batch: an unsettled delivery comes again in a later batch.

    at_s: earliest time of the next call, on the monotonic clock. An outage that ends in the meantime lifts the wait.
    outages: ended outages of the route when the wait began.
    successes: successful calls of the route before the first failure of this event.
    max_events: the next call has at most this many events.
    """

    at_s: float = 0.0
    outages: int = 0
    successes: int = 0
    max_events: int = sys.maxsize
