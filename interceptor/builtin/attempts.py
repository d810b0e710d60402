"""Failed calls of a delivery: how long it waits for the next one, and whether it is poison."""

from __future__ import annotations

from collections.abc import Sequence

from interceptor.builtin.retry import Retry
from interceptor.delivery import Delivery
from interceptor.routes.backoff import MAX_S
from interceptor.routes.breaker import CircuitBreaker


def is_waiting(delivery: Delivery, breaker: CircuitBreaker, now_s: float) -> bool:
    """Whether the wait of the delivery is not over. now_s: monotonic."""
    retry = delivery.retry
    return retry is not None and retry.at_s > now_s and retry.outages == breaker.outages


def defer(deliveries: Sequence[Delivery], breaker: CircuitBreaker, now_s: float, wait_s: float) -> None:
    """Let the deliveries of a failed call wait before their next call."""
    for delivery in deliveries:
        retry = delivery.retry = delivery.retry or Retry()
        retry.at_s, retry.outages = now_s + wait_s, breaker.outages
        if len(deliveries) == 1:  # in a larger call, the search for the bad event would start again
            retry.max_events = 1
        elif wait_s > MAX_S:  # the function may reject the same batch again and again
            retry.max_events = len(deliveries) // 2


def count_attempt(delivery: Delivery, breaker: CircuitBreaker) -> bool:
    """Count a failed call of an event alone. Returns whether other calls have succeeded since the first one.

    Attempts that failed during an outage do not count against the event.
    """
    retry = delivery.retry = delivery.retry or Retry()
    if delivery.attempts == 0 or retry.outages < breaker.outages:
        delivery.attempts, retry.successes = 0, breaker.successes
    delivery.attempts += 1
    return breaker.successes > retry.successes
