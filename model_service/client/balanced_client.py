"""Several model services as one: calls go round, a service that fails is left out for a while."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from model_service.client.interface import (
    Answer,
    Float32Array,
    InvalidShape,
    ModelClient,
    ModelError,
    ModelUnavailable,
)
from model_service.protocols.graphpipe import MetadataResponse

log = logging.getLogger(__name__)

# A service that restarts is back within seconds. Trying one that is gone costs 50 µs where the port is closed, and up
# to the time to connect where the host is gone: once in 15 s.
FIRST_PAUSE_S = 0.25
MAX_PAUSE_S = 15.0
# One that let a call wait for longer than this hangs, and is left out for MAX_PAUSE_S at once: each try costs so much.
HANGS_S = 1.0

Result = TypeVar("Result")


class AddressedClient(ModelClient, Protocol):
    """The client of one address."""

    url: str


@dataclass(slots=True, eq=False)
class _Service:
    """failures: in a row. until_s: left out so long, by the clock."""

    client: AddressedClient
    failures: int = 0
    until_s: float = 0.0


class BalancedClient:
    """A `ModelClient` over several addresses.

    A call that one service cannot answer goes to the next at once: scoring twice does no harm. Where all are left out
    all are tried, the one first that is due first. The metadata are those of the service that answered last, and the
    next call goes to it as well, so that versions that differ while they are rolled out do not mix."""

    def __init__(
        self,
        clients: Sequence[AddressedClient],
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """timeout_s: after so long a call goes to no further service."""
        self._services = [_Service(client) for client in clients]
        self._timeout_s = timeout_s
        self._clock = clock
        self._turn = 0  # the place of the service whose turn it is
        self._last = 0  # of the one that answered last

    def infer(self, windows: Float32Array) -> Answer:
        answer = self._call(self._turn, lambda client: client.infer(windows))
        self._turn = (self._last + 1) % len(self._services)
        return answer

    def metadata(self) -> MetadataResponse:
        metadata = self._call(self._last, lambda client: client.metadata())
        self._turn = self._last
        return metadata

    def close(self) -> None:
        for service in self._services:
            service.client.close()

    def _call(self, first: int, ask: Callable[[AddressedClient], Result]) -> Result:
        started_s = self._clock()
        failures: list[ModelUnavailable] = []
        refusals: list[tuple[int, ModelError]] = []
        for place in self._order(first, started_s):
            service = self._services[place]
            asked_s = self._clock()
            try:
                result = ask(service.client)
            except ModelUnavailable as failure:
                failures.append(failure)
                self._leave_out(service, str(failure), self._clock() - asked_s)
                if self._clock() - started_s >= self._timeout_s:
                    break
                continue
            except InvalidShape:  # its model has another window: the caller reads the metadata anew
                self._keep(place)
                raise
            except ModelError as refusal:  # is it the request, or this service alone? The next one tells
                refusals.append((place, refusal))
                continue
            self._keep(place)
            for refusing, told in refusals:
                other = self._services[refusing]
                self._leave_out(other, f"{other.client.url} refuses what another takes: {told}", 0.0)
            return result
        if refusals:
            place, first_refusal = refusals[0]
            self._keep(place)
            raise first_refusal
        reasons = "; ".join(map(str, failures))
        raise ModelUnavailable(
            f"no model service of {len(self._services)} answers: {reasons}",
            min(failure.retry_after_s for failure in failures),
        )

    def _order(self, first: int, now_s: float) -> Iterator[int]:
        """Each place once: those in service, from `first` on, then those left out."""
        places = [(first + offset) % len(self._services) for offset in range(len(self._services))]
        yield from sorted(places, key=lambda place: max(self._services[place].until_s - now_s, 0.0))

    def _keep(self, place: int) -> None:
        service = self._services[place]
        self._last = place
        if service.failures:
            log.info("%s is back", service.client.url)
            service.failures, service.until_s = 0, 0.0

    def _leave_out(self, service: _Service, told: str, took_s: float) -> None:
        """told: for the log, with the service's address."""
        if not service.failures:
            log.warning("leaving a model service out for now: %s", told)
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(service.failures, 16), MAX_PAUSE_S)
        if took_s > HANGS_S:
            pause_s = MAX_PAUSE_S
        service.failures += 1
        service.until_s = self._clock() + pause_s
