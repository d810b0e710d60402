"""Calls that hang: a function that accepts them and never answers is out long before each has used up its time-out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from interceptor.errors import RetriableError
from interceptor.routes.breaker import Circuit

# A call that takes longer than these, and than so many times the slowest of the last ones, asks for a probe, or is one
# that failed. A probe that hangs must end soon: work resumes within 5 s of the function's return.
SUSPECT_S, PROBE_S = 5.0, 2.0
TIMES_SLOWEST = 3.0


def probe_timeout_s(circuit: Circuit) -> float:
    """How long a probe may take: the function may be a slow one."""
    return max(PROBE_S, TIMES_SLOWEST * circuit.slowest_s)


class CallsUnderWay:
    """Those of one route. Used in one event loop."""

    def __init__(self, circuit: Circuit, suspect: Callable[[str], None]) -> None:
        """suspect: told why the route may be out, when a call takes long and no other has succeeded since it began."""
        self._circuit = circuit
        self._suspect = suspect
        self._limits: dict[asyncio.Timeout, float] = {}

    @contextlib.asynccontextmanager
    async def call(self, now_s: float) -> AsyncIterator[None]:
        """Around a call that begins at `now_s`. Raises RetriableError where `end` ends it."""
        loop = asyncio.get_running_loop()
        circuit, successes = self._circuit, self._circuit.successes
        after_s = max(SUSPECT_S, TIMES_SLOWEST * circuit.slowest_s)

        def look() -> None:
            if not circuit.is_open and circuit.successes == successes:
                self._suspect(f"a call has not been answered for {after_s:.1f} s")

        # Where nothing has ever succeeded there is no event to ask with.
        timer = loop.call_later(after_s, look) if circuit.known_good is not None else None
        limit = asyncio.timeout(None)
        try:
            async with limit:
                self._limits[limit] = now_s
                yield
        except TimeoutError:
            if not limit.expired():
                raise
            raise RetriableError("no answer to a call that began before the route was out") from None
        finally:
            if timer is not None:
                timer.cancel()
            self._limits.pop(limit, None)

    def end(self, before_s: float) -> None:
        """End what began until then and still hangs: the outage is over, and who hung in it is called anew."""
        now_s = asyncio.get_running_loop().time()
        for limit, began_s in self._limits.items():
            if began_s <= before_s:
                limit.reschedule(now_s)
