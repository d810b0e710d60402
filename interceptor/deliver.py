"""The built-in `deliver`: calls the function of each route, and settles every delivery that it answers.

A batch that fails is split until the suspect stands alone. A lone event that fails `max_attempts` times while others
of its route succeeded is poison; where nothing succeeded it is an outage: the circuit opens, its deliveries go back
unsettled, and a probe with a known-good event closes it again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from interceptor import answer, deadline, metrics, outage
from interceptor.backoff import MAX_S, delay_s
from interceptor.circuit import Circuit
from interceptor.contract import Interceptor
from interceptor.delivery import Batch, Delivery
from interceptor.errors import Refused, RetriableError
from interceptor.expiry import EXPIRED, left_s
from interceptor.hang import CallsUnderWay
from interceptor.outage import Client
from interceptor.outcome import DeadLetter, Forecast, Skipped
from interceptor.route import Route

log = logging.getLogger("fncast.deliver")


@dataclass(frozen=True)
class Limits:
    """calls_in_flight: per route. batch_events, batch_bytes: of one call. max_attempts: of a lone event."""

    calls_in_flight: int = 4
    batch_events: int = 512
    batch_bytes: int = 1_000_000
    max_attempts: int = 5


class Deliver(Interceptor):
    def __init__(
        self, client: Client, limits: Limits = Limits(), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._limits = limits
        self._clock = clock
        self._circuits: dict[str, Circuit] = {}
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._calls: dict[str, CallsUnderWay] = {}
        self._probes: set[asyncio.Task[None]] = set()
        self._bug: BaseException | None = None
        # What the composition of the chain says: whether an interceptor stands behind this one, and `expiry` anywhere.
        self.is_last = False
        self.heeds_expiry = False

    async def on_consume(self, batch: Batch) -> Batch:
        if self._bug is not None:
            raise self._bug
        by_route: dict[str, list[Delivery]] = {}
        now_s = self._clock()
        for delivery in batch.pending():
            assert delivery.route is not None, "`deliver` stands behind `route` in the chain"
            if (
                delivery.retry_at_s > now_s
                and delivery.outages_before == self._circuit(delivery.route).outages
            ):
                continue
            by_route.setdefault(delivery.route.name, []).append(delivery)
        await asyncio.gather(
            *(self._settle(piece) for deliveries in by_route.values() for piece in self._pieces(deliveries))
        )
        return batch

    async def close(self) -> None:
        for probe in self._probes:
            probe.cancel()
        await asyncio.gather(*self._probes, return_exceptions=True)
        await self._client.close()

    def open_circuits(self) -> dict[str, str]:
        """The reason by route name, of each route whose circuit is open, or closed only to try with what is there."""
        return {
            name: circuit.reason
            for name, circuit in self._circuits.items()
            if circuit.is_open or circuit.is_out
        }

    def outages(self) -> dict[str, str]:
        """The reason by route name, of each route that a probe, or the lack of one, has shown to be out."""
        return {name: circuit.reason for name, circuit in self._circuits.items() if circuit.is_out}

    def _circuit(self, route: Route) -> Circuit:
        circuit = self._circuits.get(route.name)
        if circuit is None:
            circuit = self._circuits[route.name] = Circuit()
        return circuit

    def _pieces(self, deliveries: list[Delivery]) -> Iterator[list[Delivery]]:
        """The deliveries of one route, cut into what one call takes."""
        route = deliveries[0].route
        assert route is not None
        most = self._limits.batch_events if route.batch else 1
        piece: list[Delivery] = []
        size = 0
        for delivery in deliveries:
            length = len(delivery.record.value or b"")
            if delivery.most_in_call < most:
                most = delivery.most_in_call
            if piece and (len(piece) >= most or size + length > self._limits.batch_bytes):
                yield piece
                piece, size = [], 0
                most = min(self._limits.batch_events if route.batch else 1, delivery.most_in_call)
            piece.append(delivery)
            size += length
        yield piece

    async def _settle(self, piece: list[Delivery]) -> None:
        """Call, and split, until each delivery of the piece is settled or put off."""
        halves = await self._attempt(piece)
        await asyncio.gather(*(self._settle(half) for half in halves if half))

    async def _attempt(self, piece: list[Delivery]) -> list[list[Delivery]]:
        """One call, when it is its turn. Returns what is to be called now: nothing, or the halves of what is left."""
        whole, route = piece, piece[0].route
        assert route is not None
        circuit = self._circuit(route)
        try:
            async with self._slots.setdefault(route.name, asyncio.Semaphore(self._limits.calls_in_flight)):
                if not circuit.is_open:
                    await self._call(route, circuit, piece)
            return []
        except Refused as refusal:
            piece = unsettled(piece)
            if len(piece) == 1:
                piece[0].outcome = DeadLetter(str(refusal), refusal.code, piece[0].attempts + 1)
                return []
        except RetriableError as failure:
            piece = unsettled(piece)
            self._failed(route, circuit, piece, failure)
            wait_s = delay_s(max(circuit.failures, 1), failure.retry_after_s)
            if circuit.is_open or len(piece) == 1 or wait_s > MAX_S:
                self._put_off(circuit, piece, wait_s)
                return []
            self._tell_done(whole)
            await asyncio.sleep(wait_s)
        finally:
            self._tell_done(whole)
        left = [delivery for delivery in piece if not self._has_expired(delivery)]
        half = (len(left) + 1) // 2
        return [left[:half], left[half:]]

    def _tell_done(self, piece: Sequence[Delivery]) -> None:
        """What is settled can be published now, though others of its batch may take long: no interceptor follows."""
        if self.is_last:
            for delivery in piece:
                delivery.is_done = delivery.outcome is not None

    def _put_off(self, circuit: Circuit, piece: Sequence[Delivery], wait_s: float) -> None:
        """Leave them unsettled: they come again, through the whole chain, and are called when the wait is over."""
        retry_at_s = self._clock() + wait_s
        for delivery in piece:
            delivery.retry_at_s, delivery.outages_before = retry_at_s, circuit.outages
            if len(piece) == 1:  # together with other suspects it would have to be found again
                delivery.most_in_call = 1
            elif wait_s > MAX_S:  # halved, as splitting would: whole, they might be refused again and again
                delivery.most_in_call = len(piece) // 2

    def _has_expired(self, delivery: Delivery) -> bool:
        if self.heeds_expiry and (left := left_s(delivery)) is not None and left <= 0:
            delivery.outcome = EXPIRED
        return delivery.outcome is EXPIRED

    async def _call(self, route: Route, circuit: Circuit, piece: list[Delivery]) -> None:
        """One call. Settles what it answers; raises RetriableError for the rest, or Refused for the whole."""
        started_s = self._clock()
        events = [delivery.opened for delivery in piece]
        has_deadlines = self.heeds_expiry and any("expirytime" in event.attributes for event in events)
        try:
            async with self._under_way(route).call(started_s):
                if has_deadlines:
                    async with deadline.kept(piece, lambda: self._tell_done(piece)):
                        said = await self._client.call(route, events)
                else:
                    said = await self._client.call(route, events)
        except TimeoutError:
            if unsettled(piece):
                raise
            return  # all have expired
        finally:
            metrics.CALL_SECONDS.labels(route.name).observe(self._clock() - started_s)
            metrics.CALL_EVENTS.labels(route.name).observe(len(piece))
        if said.body is None:
            for delivery in unsettled(piece):
                delivery.outcome = Skipped("no event to publish")
            outage.succeeded(route, circuit, piece[0], self._clock(), started_s)
            return
        outputs = answer.decode(said.body) if said.is_batch else answer.decode_single(said.body)
        later: RetriableError | None = None
        good: Delivery | None = None
        for delivery, own in zip(piece, answer.match(piece, outputs), strict=True):
            if delivery.outcome is not None:  # it has expired meanwhile
                continue
            try:
                delivery.outcome = answer.outcome(delivery, own)
                if type(delivery.outcome) in (Forecast, Skipped):
                    good = delivery
            except RetriableError as error:
                later = error
        if later is None or len(unsettled(piece)) < len(piece):
            outage.succeeded(route, circuit, good, self._clock(), started_s)
        if later is not None:
            raise later

    def _failed(self, route: Route, circuit: Circuit, piece: list[Delivery], failure: RetriableError) -> None:
        """Count the failure; settle a lone event as poison, or open the circuit, where it is time."""
        is_suspect = False
        if len(piece) == 1 and failure.is_sent:
            (suspect,) = piece
            if suspect.attempts == 0 or suspect.outages_before < circuit.outages:
                # What failed in an outage that is over says nothing about the event.
                suspect.attempts, suspect.successes_before = 0, circuit.successes
            suspect.attempts += 1
            if suspect.attempts >= self._limits.max_attempts:
                if circuit.successes > suspect.successes_before:
                    reason = f"attempts exhausted: {failure}"
                    suspect.outcome = DeadLetter(reason, failure.code, suspect.attempts)
                    return
                is_suspect = True
        log.debug("route %s: a call with %d events failed: %s", route.name, len(piece), failure)
        # A peer that asks for much patience is out, for all that is known; the probe tells.
        is_suspect |= (failure.retry_after_s or 0.0) > MAX_S
        self._suspect(route, str(failure), is_suspect)

    def _suspect(self, route: Route, reason: str, is_suspect: bool = True) -> None:
        """Where it is time, open the circuit, and have the route asked whether it is out."""
        circuit = self._circuit(route)
        if circuit.failed(reason, self._clock(), is_suspect):
            outage.show(route, circuit)
            self._probes.add(probe := asyncio.create_task(self._probe(route, circuit)))
            probe.add_done_callback(self._probed)

    async def _probe(self, route: Route, circuit: Circuit) -> None:
        opened_at_s, outages = circuit.opened_at_s, circuit.outages
        await outage.probe(self._client, route, circuit, self._clock)
        if opened_at_s is not None and circuit.outages > outages:
            self._under_way(route).end(opened_at_s)

    def _under_way(self, route: Route) -> CallsUnderWay:
        calls = self._calls.get(route.name)
        if calls is None:
            calls = CallsUnderWay(self._circuit(route), lambda reason: self._suspect(route, reason))
            self._calls[route.name] = calls
        return calls

    def _probed(self, probe: asyncio.Task[None]) -> None:
        """A probe that ended by a bug would leave its circuit open for ever: the next batch raises it."""
        self._probes.discard(probe)
        if not probe.cancelled() and probe.exception() is not None:
            self._bug = probe.exception()


def unsettled(piece: Sequence[Delivery]) -> list[Delivery]:
    return [delivery for delivery in piece if delivery.outcome is None]
