"""Balances calls over several model services, and excludes a failing service for a while."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from model_service.client.interface import (
    Float32Array,
    InferenceResult,
    InvalidShape,
    ModelClient,
    ModelError,
    ModelUnavailable,
)
from model_service.protocols.graphpipe import MetadataResponse

log = logging.getLogger(__name__)

# A failing service is excluded for FIRST_PAUSE_S, then for twice as long, up to MAX_PAUSE_S. A restart takes seconds.
# Trying a host that is gone costs the time to connect, so this must be rare.
FIRST_PAUSE_S = 0.25
MAX_PAUSE_S = 15.0
# A service whose call failed after more than this hangs. It is excluded for MAX_PAUSE_S at once.
HANGS_S = 1.0

Result = TypeVar("Result")


class AddressedClient(ModelClient, Protocol):
    """The client of one address."""

    url: str


@dataclass(slots=True, eq=False)
class _Service:
    """One service. failures: consecutive ones. until_s: time of the clock until which it is excluded."""

    client: AddressedClient
    failures: int = 0
    until_s: float = 0.0


class BalancedClient:
    """A `ModelClient` over several addresses.

    If a service fails, the call goes to the next one at once: scoring is idempotent. If all are excluded, all are
    tried, in the order in which their exclusion ends. `metadata` asks the service that responded last, and the next
    call goes to the same service, so that different versions do not mix during a rollout.
    """

    def __init__(
        self,
        clients: Sequence[AddressedClient],
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """timeout_s: no further service is tried after this time. clock: in seconds."""
        self._services = [_Service(client) for client in clients]
        self._timeout_s = timeout_s
        self._clock = clock
        self._turn = 0  # index of the service for the next call
        self._last = 0  # index of the service that responded last

    def infer(self, windows: Float32Array) -> InferenceResult:
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

    def _call(self, first: int, send: Callable[[AddressedClient], Result]) -> Result:
        """The result of the first service that returns one. first: the index of the service to try first.

        Raises ModelUnavailable, InvalidShape, ModelError.
        """
        started_s = self._clock()
        failures: list[ModelUnavailable] = []
        rejections: list[tuple[int, ModelError]] = []
        for index in self._order(first, started_s):
            service = self._services[index]
            sent_s = self._clock()
            try:
                result = send(service.client)
            except ModelUnavailable as failure:
                failures.append(failure)
                self._exclude(service, str(failure), self._clock() - sent_s)
                if self._clock() - started_s >= self._timeout_s:
                    break
                continue
            except InvalidShape:
                # Its model has another window, so the caller reads the metadata of this service.
                self._record_success(index)
                raise
            except ModelError as rejection:
                # The response of the next service shows whether the request or this service is at fault.
                rejections.append((index, rejection))
                continue
            self._record_success(index)
            for rejecting, reason in rejections:
                other = self._services[rejecting]
                self._exclude(
                    other, f"{other.client.url} rejects a request that another service accepts: {reason}", 0.0
                )
            return result
        if rejections:
            index, first_rejection = rejections[0]
            self._record_success(index)
            raise first_rejection
        reasons = "; ".join(map(str, failures))
        raise ModelUnavailable(
            f"none of {len(self._services)} model services responds: {reasons}",
            min(failure.retry_after_s for failure in failures),
        )

    def _order(self, first: int, now_s: float) -> Iterator[int]:
        """All indices: the available services, beginning with `first`, then the excluded ones."""
        indices = [(first + offset) % len(self._services) for offset in range(len(self._services))]
        yield from sorted(indices, key=lambda index: max(self._services[index].until_s - now_s, 0.0))

    def _record_success(self, index: int) -> None:
        service = self._services[index]
        self._last = index
        if service.failures:
            log.info("%s is available again", service.client.url)
            service.failures, service.until_s = 0, 0.0

    def _exclude(self, service: _Service, reason: str, took_s: float) -> None:
        """Exclude a service for a while. reason: for the log, including the address. took_s: duration of the call."""
        if not service.failures:
            log.warning("excluding a model service for now: %s", reason)
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(service.failures, 16), MAX_PAUSE_S)
        if took_s > HANGS_S:
            pause_s = MAX_PAUSE_S
        service.failures += 1
        service.until_s = self._clock() + pause_s
