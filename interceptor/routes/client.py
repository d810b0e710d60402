"""The interface between `deliver` and whatever calls a function, and the answer that it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from interceptor.cloudevents.answers import Output, decode, decode_single
from interceptor.cloudevents.event import Event
from interceptor.routes.route import Route


@dataclass(frozen=True)
class Answer:
    """The answer to one call. body: a JSON batch if `is_batch`, otherwise one structured event. None: no event."""

    body: bytes | None
    is_batch: bool

    def outputs(self) -> list[Output]:
        """Return the events of the answer. Raises RetriableError if the answer is invalid."""
        if self.body is None:
            return []
        return decode(self.body) if self.is_batch else decode_single(self.body)


class Client(Protocol):
    """Calls functions; see FunctionClient."""

    async def call(self, route: Route, events: Sequence[Event]) -> Answer: ...

    async def close(self) -> None: ...
