"""Detects calls that hang: a function may accept calls and never answer, long before the time-out of each call."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from interceptor.errors import RetriableError
from interceptor.routes.breaker import CircuitBreaker

SLOW_CALL_S = 5.0  # shorter calls never count as slow


class InFlightCalls:
    """The calls of one route that have no answer yet. Used in one event loop."""

    def __init__(self, breaker: CircuitBreaker, report_slow: Callable[[str], None]) -> None:
        """report_slow: called with a reason if a call is slow and no other call succeeded since it began."""
        self._breaker = breaker
        self._report_slow = report_slow
        self._started_s: dict[asyncio.Timeout, float] = {}  # by time-out of the call, on the caller's clock

    @contextlib.asynccontextmanager
    async def track(self, now_s: float) -> AsyncIterator[None]:
        """Wrap a call that begins at `now_s`. Raises RetriableError if `cancel` ends it."""
        loop = asyncio.get_running_loop()
        breaker, successes = self._breaker, self._breaker.successes
        slow_after_s = breaker.slow_after_s(SLOW_CALL_S)

        def check() -> None:
            if not breaker.is_open and breaker.successes == successes:
                self._report_slow(f"a call has not been answered for {slow_after_s:.1f} s")

        # Without a known-good event no probe could decide.
        timer = loop.call_later(slow_after_s, check) if breaker.known_good is not None else None
        limit = asyncio.timeout(None)
        try:
            async with limit:
                self._started_s[limit] = now_s
                yield
        except TimeoutError:
            if not limit.expired():
                raise
            raise RetriableError("no answer to a call that began before the outage") from None
        finally:
            if timer is not None:
                timer.cancel()
            self._started_s.pop(limit, None)

    def cancel(self, until_s: float) -> None:
        """Cancel calls that began at `until_s` or before: they hung during the outage, and will be retried."""
        now_s = asyncio.get_running_loop().time()
        for limit, started_s in self._started_s.items():
            if started_s <= until_s:
                limit.reschedule(now_s)
