"""The built-in `deliver`: calls the function of each route, and settles the deliveries that the function answers.

A batch that fails is split until the bad event is alone. A lone event that fails `max_attempts` times while other calls
of its route succeed is poison. If no call succeeds, it is an outage: the circuit breaker opens, the deliveries go back
unsettled, and a probe with a known-good event closes the breaker.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from interceptor.builtin.attempts import count_attempt, defer, is_waiting
from interceptor.builtin.calls import DEFAULT_LIMITS, Limits, split_into_calls, unsettled
from interceptor.builtin.deadline import skip_expired
from interceptor.builtin.expiry import EXPIRED, remaining_s
from interceptor.chain import mark_done
from interceptor.contract import Interceptor
from interceptor.delivery import Batch, Delivery
from interceptor.errors import Rejected, RetriableError
from interceptor.outcome import DeadLetter, Forecast, Outcome
from interceptor.routes import metrics
from interceptor.routes.backoff import MAX_S, delay_s
from interceptor.routes.client import Client
from interceptor.routes.outcomes import NO_EVENT
from interceptor.routes.route import Route
from interceptor.routes.route_state import RouteState
from interceptor.routes.window_event import read_window

log = logging.getLogger("fncast.deliver")


class Deliver(Interceptor):
    """Calls functions. Used in one event loop, which also runs the probes of its routes."""

    def __init__(
        self,
        client: Client,
        limits: Limits = DEFAULT_LIMITS,
        clock: Callable[[], float] = time.monotonic,
        *,
        is_last: bool = False,
        handles_expiry: bool = False,
    ) -> None:
        """clock: monotonic, in seconds. is_last: whether no interceptor follows in the chain.

        handles_expiry: whether `expiry` is in the chain, so that events also expire during a call.
        """
        self._client = client
        self._limits = limits
        self._clock = clock
        self._is_last = is_last
        self._handles_expiry = handles_expiry
        self._states: dict[str, RouteState] = {}  # by route name

    async def on_consume(self, batch: Batch) -> Batch:
        for state in self._states.values():
            state.check()
        by_route: dict[str, list[Delivery]] = {}
        now_s = self._clock()
        for delivery in batch.pending():
            route = delivery.route
            assert route is not None, "`deliver` needs `route` before it in the chain"
            if delivery.retry is not None and is_waiting(delivery, self._state(route).breaker, now_s):
                continue
            if route.is_tensor and not read_window(delivery):
                continue
            by_route.setdefault(route.name, []).append(delivery)
        await asyncio.gather(
            *(
                self._settle(call)
                for deliveries in by_route.values()
                for call in split_into_calls(deliveries, self._limits)
            )
        )
        return batch

    async def close(self) -> None:
        for state in self._states.values():
            await state.close()
        await self._client.close()

    def open_circuits(self) -> dict[str, str]:
        """Return the reason by route name, for each route with an open breaker or a confirmed outage."""
        return {
            name: state.breaker.reason
            for name, state in self._states.items()
            if state.breaker.is_open or state.breaker.is_outage
        }

    def outages(self) -> dict[str, str]:
        """Return the reason by route name, for each route with a confirmed outage."""
        return {name: state.breaker.reason for name, state in self._states.items() if state.breaker.is_outage}

    async def _settle(self, deliveries: list[Delivery]) -> None:
        """Call and split until each delivery is settled or deferred."""
        halves = await self._attempt(deliveries)
        await asyncio.gather(*(self._settle(half) for half in halves if half))

    async def _attempt(self, deliveries: list[Delivery]) -> list[list[Delivery]]:
        """Make one call when a slot is free. Returns the halves to call next; none if all are settled or deferred."""
        route = deliveries[0].route
        assert route is not None
        state = self._state(route)
        breaker = state.breaker
        try:
            async with state.slots:
                if not breaker.is_open:
                    await self._call(route, state, deliveries)
            return []
        except Rejected as rejection:
            rest = unsettled(deliveries)
            if len(rest) == 1:
                rest[0].outcome = DeadLetter(
                    str(rejection), rejection.code, rest[0].attempts + 1, "refused_by_function"
                )
                return []
        except RetriableError as failure:
            rest = unsettled(deliveries)
            self._record_failure(route, state, rest, failure)
            wait_s = delay_s(max(breaker.failures, 1), failure.retry_after_s)
            if breaker.is_open or len(rest) == 1 or wait_s > MAX_S:
                defer(rest, breaker, self._clock(), wait_s)  # they pass through the whole chain again
                return []
            self._mark_done(deliveries)  # those with an answer do not wait
            await asyncio.sleep(wait_s)
        finally:
            self._mark_done(deliveries)
        rest = [delivery for delivery in rest if not self._has_expired(delivery)]
        half = (len(rest) + 1) // 2
        return [rest[:half], rest[half:]]

    async def _call(self, route: Route, state: RouteState, deliveries: list[Delivery]) -> None:
        """Make one call and settle the answered deliveries.

        Raises RetriableError for the deliveries that are not settled, or Rejected for the whole call.
        """
        started_s = self._clock()
        events = [delivery.opened for delivery in deliveries]
        deadlines: AbstractAsyncContextManager[None] = nullcontext()
        if self._handles_expiry and any("expirytime" in event.attributes for event in events):
            deadlines = skip_expired(deliveries, lambda: self._mark_done(deliveries))
        try:
            async with state.calls.track(started_s), deadlines:
                answer = await self._client.call(route, events)
        except TimeoutError:
            if unsettled(deliveries):
                raise
            return  # all have expired
        except Rejected as rejection:
            if rejection.is_sent:  # the function answers
                state.record_rejection(started_s)
            raise
        finally:
            metrics.CALL_SECONDS.labels(route.name).observe(self._clock() - started_s)
            metrics.CALL_EVENTS.labels(route.name).observe(len(deliveries))
        self._settle_answered(state, deliveries, answer.results(deliveries), started_s)

    def _settle_answered(
        self,
        state: RouteState,
        deliveries: list[Delivery],
        results: Sequence[Outcome | RetriableError],
        started_s: float,
    ) -> None:
        """Settle each delivery by its own result. Raises RetriableError if a delivery stays unsettled."""
        failure: RetriableError | None = None
        good: Delivery | None = None
        for delivery, result in zip(deliveries, results, strict=True):
            if delivery.outcome is not None:  # expired during the call
                continue
            if isinstance(result, RetriableError):
                failure = result
                continue
            delivery.outcome = result
            if type(result) is Forecast or result is NO_EVENT:
                good = delivery
        if good is not None:
            state.record_success(good, started_s)
        elif failure is None or len(unsettled(deliveries)) < len(deliveries):
            state.record_rejection(started_s)
        if failure is not None:
            raise failure

    def _record_failure(
        self, route: Route, state: RouteState, deliveries: list[Delivery], failure: RetriableError
    ) -> None:
        """Count the failure. Settle a lone event as poison, or open the breaker, if a limit is reached."""
        must_open = False
        if len(deliveries) == 1 and failure.is_sent:
            (delivery,) = deliveries
            others_succeed = count_attempt(delivery, state.breaker)
            if delivery.attempts >= self._limits.max_attempts and others_succeed:
                reason = f"attempts exhausted: {failure}"
                delivery.outcome = DeadLetter(reason, failure.code, delivery.attempts, "attempts_exhausted")
                return
            must_open = delivery.attempts >= self._limits.max_attempts
        log.debug("route %s: a call with %d events failed: %s", route.name, len(deliveries), failure)
        # A long Retry-After may mean an outage: a probe decides.
        must_open |= (failure.retry_after_s or 0.0) > MAX_S
        state.record_failure(str(failure), must_open)

    def _has_expired(self, delivery: Delivery) -> bool:
        if self._handles_expiry and (left_s := remaining_s(delivery)) is not None and left_s <= 0:
            delivery.outcome = EXPIRED
        return delivery.outcome is EXPIRED

    def _mark_done(self, deliveries: Sequence[Delivery]) -> None:
        """Let settled deliveries be published while others of their batch wait, if no interceptor follows."""
        if self._is_last:
            mark_done(deliveries)

    def _state(self, route: Route) -> RouteState:
        state = self._states.get(route.name)
        if state is None:
            state = RouteState(route, self._client, self._limits.calls_in_flight, self._clock)
            self._states[route.name] = state
        return state
