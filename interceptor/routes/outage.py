"""Asks a route that seems to be out whether it is back, and tells both: log and metric."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from interceptor.cloudevents import answer
from interceptor.cloudevents.event import Event
from interceptor.delivery import Delivery
from interceptor.errors import Refused, RetriableError
from interceptor.routes import metrics
from interceptor.routes.backoff import delay_s
from interceptor.routes.breaker import Circuit
from interceptor.routes.function_client import Answer
from interceptor.routes.route import Route
from interceptor.routes.watchdog import probe_timeout_s

log = logging.getLogger("fncast.deliver")

# A peer's Retry-After holds for the events; the probe alone asks sooner, so that work resumes within 5 s of its return.
MAX_PROBE_WAIT_S = 4.0
CONFLICT = 409


class Client(Protocol):
    """Calls a function; see FunctionClient."""

    async def call(self, route: Route, events: Sequence[Event]) -> Answer: ...

    async def close(self) -> None: ...


async def probe(client: Client, route: Route, circuit: Circuit, clock: Callable[[], float]) -> None:
    """Close the circuit once a known-good event passes.

    Without one (nothing has ever succeeded) the circuit is closed after a wait, to try with what is there.
    The first probe is made at once: where a bad event and not an outage opened the circuit, it passes.
    """
    failures, asked_s = 0, 0.0
    while circuit.is_open:
        if failures or circuit.known_good is None:
            if circuit.out():
                told = "route %s is out: %s. Its partitions wait, nothing is given up"
                log.warning(told, route.name, circuit.reason)
            await asyncio.sleep(delay_s(failures + 1, min(asked_s, MAX_PROBE_WAIT_S)))
        try:
            asked_at_s = clock()
            if circuit.known_good is not None:
                await _ask_within(probe_timeout_s(circuit), client, route, circuit.known_good)
                succeeded(route, circuit, None, clock(), asked_at_s)
            circuit.close()
        except Refused:  # it talks again
            succeeded(route, circuit, None, clock(), asked_at_s)
            circuit.close()
        except RetriableError as failure:
            failures, asked_s = failures + 1, failure.retry_after_s or 0.0
            circuit.reason = str(failure)
    show(route, circuit)


async def _ask_within(timeout_s: float, client: Client, route: Route, known_good: Delivery) -> None:
    """Raises RetriableError, also where there is no answer in time; Refused."""
    try:
        async with asyncio.timeout(timeout_s):
            await _ask(client, route, known_good)
    except TimeoutError:
        raise RetriableError(f"no answer to a probe within {timeout_s:.1f} s") from None


async def _ask(client: Client, route: Route, known_good: Delivery) -> None:
    """Raises RetriableError where the function does not answer the known-good event as it would any other."""
    try:
        said = await client.call(route, [known_good.opened])
    except RetriableError as failure:
        if failure.code == CONFLICT:  # it has seen this event before, as it has: it talks
            return
        raise
    if said.body is None:
        return
    outputs = answer.decode(said.body) if said.is_batch else answer.decode_single(said.body)
    (own,) = answer.match([known_good], outputs)
    answer.outcome(known_good, own)


def succeeded(
    route: Route, circuit: Circuit, good: Delivery | None, now_s: float, called_at_s: float
) -> None:
    """A call was answered sensibly; `good` is a delivery of it that may serve as known-good."""
    began_s = circuit.succeeded(good, now_s - called_at_s)
    if began_s is not None:
        log.info("route %s is back after %.1f s", route.name, now_s - began_s)
        show(route, circuit)


def show(route: Route, circuit: Circuit) -> None:
    metrics.CIRCUIT_OPEN.labels(route.name).set(circuit.is_open or circuit.is_out)
