"""The circuit breaker of a route: distinguishes an outage from a bad event, and probes until the outage is over.

`CircuitBreaker` is pure: the clock is passed in. `probe_until_closed` does the I/O.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from interceptor.delivery import Delivery
from interceptor.errors import Rejected, RetriableError
from interceptor.routes import metrics
from interceptor.routes.backoff import delay_s
from interceptor.routes.client import Client
from interceptor.routes.route import Route

log = logging.getLogger("fncast.deliver")

# Failures in a row that open the breaker. Splitting a batch of 256 around one bad event fails at most three times in a
# row, around three bad events at most seven times, because both halves are called at the same time.
OPEN_AFTER_FAILURES = 8
REMEMBERED_CALLS = 128
# A call is slow if it takes this many times as long as the slowest remembered call.
SLOW_FACTOR = 3.0
# A probe that hangs must end soon: deliveries resume within 5 s after the function returns.
PROBE_TIMEOUT_S = 2.0
# Retry-After delays the deliveries. Probes wait less, so that deliveries resume within 5 s after the function returns.
MAX_PROBE_WAIT_S = 4.0
CONFLICT = 409


class CircuitBreaker:
    """Closed: calls are made. Open: no calls are made until a probe with a known-good event succeeds.

    successes: calls that succeeded since the start. known_good: the last event that was answered with a result.
    opened_at_s: on the caller's clock, None while closed. reason: the last failure.
    outages: number of outages that have ended. failures: failures in a row.
    """

    def __init__(self) -> None:
        self.successes = 0
        self.known_good: Delivery | None = None
        self.opened_at_s: float | None = None
        self.reason = ""
        self.outages = 0
        self.failures = 0
        self._outage_since_s: float | None = None
        self._durations_s: deque[float] = deque(maxlen=REMEMBERED_CALLS)

    @property
    def is_open(self) -> bool:
        """Whether no calls are made."""
        return self.opened_at_s is not None

    @property
    def is_outage(self) -> bool:
        """Whether an outage is confirmed. An open breaker alone may be caused by one bad event."""
        return self._outage_since_s is not None

    def slow_after_s(self, at_least_s: float) -> float:
        """Return how long a call may take before it counts as slow, compared with the last successful calls."""
        return max(at_least_s, SLOW_FACTOR * max(self._durations_s, default=0.0))

    def record_success(
        self, good: Delivery | None, duration_s: float, *, is_rejection: bool = False
    ) -> float | None:
        """Record a valid answer. good: a delivery that may serve as known-good, if any.

        is_rejection: whether the function only rejects events. Then it is not out, but the answer does not count as a
        success: what the function needs for a valid event, such as its model, may be out.
        Returns the start of the outage that this call ends, on the caller's clock; None without an outage.
        """
        self.successes += not is_rejection
        self.failures = 0
        self._durations_s.append(duration_s)
        outage_since_s, self._outage_since_s = self._outage_since_s, None
        self.outages += outage_since_s is not None
        if good is not None:
            self.known_good = good
        return outage_since_s

    def record_failure(self, reason: str, now_s: float, must_open: bool) -> bool:
        """Record a failed call. Returns True if this opens the breaker.

        must_open: open at the first failure, because a probe has to decide. One case is a lone event that has used up
        its attempts: it is either a bad event or an outage.
        """
        self.failures += 1
        self.reason = reason
        if self.is_open or (self.failures < OPEN_AFTER_FAILURES and not must_open):
            return False
        self.opened_at_s = now_s
        return True

    def confirm_outage(self) -> bool:
        """Record that the route is out. Returns True if this is new."""
        is_new = self._outage_since_s is None
        if is_new:
            self._outage_since_s = self.opened_at_s
        return is_new

    def close(self) -> None:
        """Allow calls: a probe succeeded, or there is no known-good event to probe with."""
        self.opened_at_s = None
        self.failures = 0


async def probe_until_closed(
    client: Client, route: Route, breaker: CircuitBreaker, clock: Callable[[], float]
) -> None:
    """Probe with a known-good event until one probe succeeds, then close the breaker.

    The first probe is immediate: if a bad event opened the breaker, the probe succeeds. Without a known-good event the
    breaker closes after a wait, so that waiting deliveries are tried.
    """
    failures, retry_after_s = 0, 0.0
    while breaker.is_open:
        if failures or breaker.known_good is None:
            if breaker.confirm_outage():
                log.warning(
                    "route %s is out: %s. Its partitions wait, no event is lost", route.name, breaker.reason
                )
            await asyncio.sleep(delay_s(failures + 1, min(retry_after_s, MAX_PROBE_WAIT_S)))
        started_s = clock()
        try:
            if breaker.known_good is not None:
                await _probe(client, route, breaker.known_good, breaker.slow_after_s(PROBE_TIMEOUT_S))
                record_answer(route, breaker, None, clock(), started_s)
            breaker.close()
        except Rejected:  # the function answers again
            record_answer(route, breaker, None, clock(), started_s)
            breaker.close()
        except RetriableError as failure:
            failures, retry_after_s = failures + 1, failure.retry_after_s or 0.0
            breaker.reason = str(failure)
    set_metric(route, breaker)


async def _probe(client: Client, route: Route, known_good: Delivery, timeout_s: float) -> None:
    """Call the function with the known-good event.

    Raises RetriableError if there is no valid answer within the time-out; Rejected.
    """
    try:
        async with asyncio.timeout(timeout_s):
            answer = await client.call(route, [known_good.opened])
    except TimeoutError:
        raise RetriableError(f"no answer to a probe within {timeout_s:.1f} s") from None
    except RetriableError as failure:
        if failure.code == CONFLICT:  # the function answers: it recognised a repeated event
            return
        raise
    (result,) = answer.results([known_good])
    if isinstance(result, RetriableError):
        raise result


def record_answer(
    route: Route,
    breaker: CircuitBreaker,
    good: Delivery | None,
    now_s: float,
    started_s: float,
    *,
    is_rejection: bool = False,
) -> None:
    """Record a valid answer to a call that began at `started_s`. Log the end of the outage that it ends, if any.

    good, is_rejection: as in `CircuitBreaker.record_success`.
    """
    outage_since_s = breaker.record_success(good, now_s - started_s, is_rejection=is_rejection)
    if outage_since_s is not None:
        log.info("route %s is back after %.1f s", route.name, now_s - outage_since_s)
        set_metric(route, breaker)


def set_metric(route: Route, breaker: CircuitBreaker) -> None:
    """Set the metric of the route: 1 while its breaker is open or an outage is confirmed."""
    metrics.CIRCUIT_OPEN.labels(route.name).set(breaker.is_open or breaker.is_outage)
