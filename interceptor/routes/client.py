"""The interface between `deliver` and the client that calls a function, and the answers that it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from interceptor.cloudevents.answers import Output, decode, decode_single
from interceptor.cloudevents.event import Event
from interceptor.cloudevents.matching import match
from interceptor.delivery import Delivery
from interceptor.errors import RetriableError
from interceptor.outcome import Outcome
from interceptor.routes.outcomes import NO_EVENT, outcome_of
from interceptor.routes.route import Route


class Answer(Protocol):
    """The answer to one call."""

    def results(self, deliveries: Sequence[Delivery]) -> list[Outcome | RetriableError]:
        """Return how each delivery of the call ends; an error for one that has to be called again.

        deliveries: those of the call, in order. Raises RetriableError if the answer as a whole is invalid.
        """
        ...


@dataclass(frozen=True)
class EventsAnswer:
    """The answer to a call in JSON.

    body: a JSON batch if `is_batch`, otherwise one structured event. None: no event.
    """

    body: bytes | None
    is_batch: bool

    def outputs(self) -> list[Output]:
        """Return the events of the answer. Raises RetriableError if the answer is invalid."""
        if self.body is None:
            return []
        return decode(self.body) if self.is_batch else decode_single(self.body)

    def results(self, deliveries: Sequence[Delivery]) -> list[Outcome | RetriableError]:
        """See Answer."""
        if self.body is None:
            return [NO_EVENT] * len(deliveries)
        matched = match([delivery.opened for delivery in deliveries], self.outputs())
        return [_result(delivery, outputs) for delivery, outputs in zip(deliveries, matched, strict=True)]


def _result(delivery: Delivery, outputs: Sequence[Output]) -> Outcome | RetriableError:
    try:
        return outcome_of(delivery, outputs)
    except RetriableError as error:
        return error


class Client(Protocol):
    """Calls functions; see FunctionClient."""

    async def call(self, route: Route, events: Sequence[Event]) -> Answer:
        """Call the route's function with the events, at least one. Raises RetriableError or Rejected."""
        ...

    async def close(self) -> None:
        """Close the connections."""
