"""Divides the deliveries of one route into calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from interceptor.delivery import Delivery
from interceptor.routes.window_event import row_bytes


@dataclass(frozen=True)
class Limits:
    """The limits of the calls of a function.

    calls_in_flight: per route. batch_events, batch_bytes: per call. max_attempts: failed calls with one event alone,
    after which it is poison or the route is out.
    """

    calls_in_flight: int = 4
    batch_events: int = 512
    batch_bytes: int = 1_000_000
    max_attempts: int = 5


DEFAULT_LIMITS = Limits()


def split_into_calls(deliveries: Sequence[Delivery], limits: Limits) -> Iterator[list[Delivery]]:
    """Yield the deliveries of each call, in order. All deliveries, at least one, have the same route."""
    route = deliveries[0].route
    assert route is not None
    route_max = limits.batch_events if route.batch or route.is_tensor else 1
    max_events, size, longest = route_max, 0, 0
    call: list[Delivery] = []
    is_tensor = route.is_tensor
    for delivery in deliveries:
        length = row_bytes(delivery.opened) if is_tensor else delivery.size
        own_max = route_max if delivery.retry is None else min(route_max, delivery.retry.max_events)
        if own_max < max_events:
            max_events = own_max
        if length > longest:
            longest = length
        # The rows of a tensor have the length of the longest.
        total = longest * (len(call) + 1) if is_tensor else size + length
        if call and (len(call) >= max_events or total > limits.batch_bytes):
            yield call
            call, size, max_events, longest = [], 0, own_max, length
        call.append(delivery)
        size += length
    yield call


def unsettled(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Return the deliveries without an outcome."""
    return [delivery for delivery in deliveries if delivery.outcome is None]
