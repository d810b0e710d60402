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

from interceptor.builtin import deadline
from interceptor.builtin.expiry import EXPIRED, left_s
from interceptor.cloudevents import answer
from interceptor.contract import Interceptor
from interceptor.delivery import Batch, Delivery
from interceptor.errors import Refused, RetriableError
from interceptor.outcome import DeadLetter, Forecast, Skipped
from interceptor.routes import metrics
from interceptor.routes.backoff import MAX_S, delay_s
from interceptor.routes.breaker import Circuit
from interceptor.routes.outage import Client
from interceptor.routes.route import Route
from interceptor.routes.route_state import Peer

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
        self._peers: dict[str, Peer] = {}  # by route name
        # What the composition of the chain says: whether an interceptor stands behind this one, and `expiry` anywhere.
        self.is_last = False
        self.heeds_expiry = False

    async def on_consume(self, batch: Batch) -> Batch:
        for peer in self._peers.values():
            peer.check()
        by_route: dict[str, list[Delivery]] = {}
        now_s = self._clock()
        for delivery in batch.pending():
            assert delivery.route is not None, "`deliver` stands behind `route` in the chain"
            if (
                delivery.retry_at_s > now_s
                and delivery.outages_before == self._peer(delivery.route).circuit.outages
            ):
                continue
            by_route.setdefault(delivery.route.name, []).append(delivery)
        await asyncio.gather(
            *(self._settle(piece) for deliveries in by_route.values() for piece in self._pieces(deliveries))
        )
        return batch

    async def close(self) -> None:
        for peer in self._peers.values():
            await peer.close()
        await self._client.close()

    def open_circuits(self) -> dict[str, str]:
        """The reason by route name, of each route whose circuit is open, or closed only to try with what is there."""
        return {
            name: peer.circuit.reason
            for name, peer in self._peers.items()
            if peer.circuit.is_open or peer.circuit.is_out
        }

    def outages(self) -> dict[str, str]:
        """The reason by route name, of each route that a probe, or the lack of one, has shown to be out."""
        return {name: peer.circuit.reason for name, peer in self._peers.items() if peer.circuit.is_out}

    def _peer(self, route: Route) -> Peer:
        peer = self._peers.get(route.name)
        if peer is None:
            made = Peer(route, self._client, self._limits.calls_in_flight, self._clock)
            peer = self._peers[route.name] = made
        return peer

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
        peer = self._peer(route)
        circuit = peer.circuit
        try:
            async with peer.slots:
                if not circuit.is_open:
                    await self._call(route, peer, piece)
            return []
        except Refused as refusal:
            piece = unsettled(piece)
            if len(piece) == 1:
                piece[0].outcome = DeadLetter(
                    str(refusal), refusal.code, piece[0].attempts + 1, "refused_by_function"
                )
                return []
        except RetriableError as failure:
            piece = unsettled(piece)
            self._failed(route, peer, piece, failure)
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

    async def _call(self, route: Route, peer: Peer, piece: list[Delivery]) -> None:
        """One call. Settles what it answers; raises RetriableError for the rest, or Refused for the whole."""
        started_s = self._clock()
        events = [delivery.opened for delivery in piece]
        has_deadlines = self.heeds_expiry and any("expirytime" in event.attributes for event in events)
        try:
            async with peer.calls.call(started_s):
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
            peer.succeeded(piece[0], started_s)
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
            peer.succeeded(good, started_s)
        if later is not None:
            raise later

    def _failed(self, route: Route, peer: Peer, piece: list[Delivery], failure: RetriableError) -> None:
        """Count the failure; settle a lone event as poison, or open the circuit, where it is time."""
        circuit, is_suspect = peer.circuit, False
        if len(piece) == 1 and failure.is_sent:
            (suspect,) = piece
            if suspect.attempts == 0 or suspect.outages_before < circuit.outages:
                # What failed in an outage that is over says nothing about the event.
                suspect.attempts, suspect.successes_before = 0, circuit.successes
            suspect.attempts += 1
            if suspect.attempts >= self._limits.max_attempts:
                if circuit.successes > suspect.successes_before:
                    reason = f"attempts exhausted: {failure}"
                    suspect.outcome = DeadLetter(reason, failure.code, suspect.attempts, "attempts_exhausted")
                    return
                is_suspect = True
        log.debug("route %s: a call with %d events failed: %s", route.name, len(piece), failure)
        # A peer that asks for much patience is out, for all that is known; the probe tells.
        is_suspect |= (failure.retry_after_s or 0.0) > MAX_S
        peer.suspect(str(failure), is_suspect)


def unsettled(piece: Sequence[Delivery]) -> list[Delivery]:
    return [delivery for delivery in piece if delivery.outcome is None]
