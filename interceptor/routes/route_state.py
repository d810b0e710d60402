"""The function of a route as its deliveries meet it: its circuit, its calls under way, and whether it is out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from interceptor.delivery import Delivery
from interceptor.routes import outage
from interceptor.routes.breaker import Circuit
from interceptor.routes.outage import Client
from interceptor.routes.route import Route
from interceptor.routes.watchdog import CallsUnderWay


class Peer:
    """Used in one event loop; `close` it at the end."""

    def __init__(
        self, route: Route, client: Client, calls_in_flight: int, clock: Callable[[], float]
    ) -> None:
        self.circuit = Circuit()
        self.slots = asyncio.Semaphore(calls_in_flight)
        self.calls = CallsUnderWay(self.circuit, self.suspect)
        self._route = route
        self._client = client
        self._clock = clock
        self._probes: set[asyncio.Task[None]] = set()
        self._bug: BaseException | None = None

    def check(self) -> None:
        """Raise the bug that ended a probe, if one did: its circuit would stay open for ever."""
        if self._bug is not None:
            raise self._bug

    def succeeded(self, good: Delivery | None, called_at_s: float) -> None:
        """A call was answered sensibly; `good` is a delivery of it that may serve as known-good."""
        outage.succeeded(self._route, self.circuit, good, self._clock(), called_at_s)

    def suspect(self, reason: str, is_suspect: bool = True) -> None:
        """A call failed: where it is time, open the circuit, and have the function asked whether it is out."""
        if self.circuit.failed(reason, self._clock(), is_suspect):
            outage.show(self._route, self.circuit)
            self._probes.add(probe := asyncio.create_task(self._probe()))
            probe.add_done_callback(self._probed)

    async def _probe(self) -> None:
        opened_at_s, outages = self.circuit.opened_at_s, self.circuit.outages
        await outage.probe(self._client, self._route, self.circuit, self._clock)
        if opened_at_s is not None and self.circuit.outages > outages:
            self.calls.end(opened_at_s)

    def _probed(self, probe: asyncio.Task[None]) -> None:
        self._probes.discard(probe)
        if not probe.cancelled() and probe.exception() is not None:
            self._bug = probe.exception()

    async def close(self) -> None:
        for probe in self._probes:
            probe.cancel()
        await asyncio.gather(*self._probes, return_exceptions=True)
