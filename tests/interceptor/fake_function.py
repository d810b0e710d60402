"""A function that answers each event of a call as a test wants, and batches for it."""

import asyncio
from collections.abc import Callable, Sequence

import orjson

from interceptor.cloudevents.event import Event
from interceptor.delivery import Batch
from interceptor.routes.client import EventsAnswer
from interceptor.routes.route import Route
from tests.interceptor.deliveries import FORECAST, new_delivery, new_output

SINGLE = Route("single", "http://127.0.0.1/f", batch=False)


def batch(ids: Sequence[object], route: Route = FORECAST) -> Batch:
    return Batch([new_delivery(id_, route) for id_ in ids])


def reply(event: Event, type_: str = "io.fncast.forecast.v1", **data: object) -> dict[str, object]:
    return new_output(str(event.attributes["id"]), type_, data=data)


class Function:
    """Answers each event with `answer`, which may raise for the whole call."""

    def __init__(self, answer: Callable[[Event], dict[str, object]] = reply) -> None:
        self.answer = answer
        self.calls: list[list[str]] = []
        self.in_flight = self.most_in_flight = 0
        self.is_closed = False

    async def call(self, route: Route, events: Sequence[Event]) -> EventsAnswer:
        self.calls.append([str(event.attributes["id"]) for event in events])
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            return EventsAnswer(orjson.dumps([self.answer(event) for event in events]), True)
        finally:
            self.in_flight -= 1

    async def close(self) -> None:
        self.is_closed = True


def ids_of(batch: Batch, kind: type) -> list[str]:
    return [str(d.opened.attributes["id"]) for d in batch.deliveries if type(d.outcome) is kind]
