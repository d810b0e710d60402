"""The state of one route: circuit breaker, calls in flight and the running probe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from interceptor.delivery import Delivery
from interceptor.routes.breaker import CircuitBreaker, probe_until_closed, record_answer, set_metric
from interceptor.routes.client import Client
from interceptor.routes.route import Route
from interceptor.routes.watchdog import InFlightCalls


class RouteState:
    """What `deliver` keeps of a route: the breaker, the slots for calls, the calls in flight, and the probe.

    Used in one event loop. The owner, `deliver`, calls `close`.
    """

    def __init__(
        self, route: Route, client: Client, calls_in_flight: int, clock: Callable[[], float]
    ) -> None:
        """calls_in_flight: most calls at the same time. clock: monotonic, in seconds."""
        self.breaker = CircuitBreaker()
        self.slots = asyncio.Semaphore(calls_in_flight)
        self.calls = InFlightCalls(self.breaker, self.record_failure)
        self._route = route
        self._client = client
        self._clock = clock
        self._probes: set[asyncio.Task[None]] = set()
        self._probe_error: BaseException | None = None

    def check(self) -> None:
        """Raise the error that ended a probe, if any. It is a bug, and no probe would close the breaker again."""
        if self._probe_error is not None:
            raise self._probe_error

    def record_success(self, good: Delivery, started_s: float) -> None:
        """Record an answer with a result to a call that began at `started_s`. good: a delivery that has one."""
        record_answer(self._route, self.breaker, good, self._clock(), started_s)

    def record_rejection(self, started_s: float) -> None:
        """Record an answer that rejects events and has no result, to a call that began at `started_s`."""
        record_answer(self._route, self.breaker, None, self._clock(), started_s, is_rejection=True)

    def record_failure(self, reason: str, must_open: bool = True) -> None:
        """Record a failed or slow call. If this opens the breaker, start probing."""
        if self.breaker.record_failure(reason, self._clock(), must_open):
            set_metric(self._route, self.breaker)
            self._probes.add(probe := asyncio.create_task(self._probe()))
            probe.add_done_callback(self._end_probe)

    async def _probe(self) -> None:
        opened_at_s, outages = self.breaker.opened_at_s, self.breaker.outages
        await probe_until_closed(self._client, self._route, self.breaker, self._clock)
        if opened_at_s is not None and self.breaker.outages > outages:
            self.calls.cancel(opened_at_s)

    def _end_probe(self, probe: asyncio.Task[None]) -> None:
        self._probes.discard(probe)
        if not probe.cancelled() and probe.exception() is not None:
            self._probe_error = probe.exception()

    async def close(self) -> None:
        """Cancel the running probe."""
        for probe in self._probes:
            probe.cancel()
        await asyncio.gather(*self._probes, return_exceptions=True)
