"""Tells a topic which routes are out, so that whoever reads topics alone, as the live page does, sees it."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from fncast.wording.kafka import words

log = logging.getLogger("fncast.kafka")

TYPE = "io.fncast.outage.v1"
LOOK_S = 0.5
# An outage is told again and again while it lasts: a reader that has heard nothing for three of these knows that the
# consumer is gone, and nothing of the route.
TELL_S = 5.0
CONTENT_TYPE = b"application/cloudevents+json; charset=utf-8"
# Told or not, it must cost the events nothing: no retries beyond this, no large queue.
PROPERTIES: Mapping[str, Any] = {
    "log_level": 0,
    "acks": "1",
    "message.timeout.ms": 5_000,
    "queue.buffering.max.messages": 1_000,
}


class Outages:
    """`run` looks at the routes until it is cancelled. What cannot be told is left out: log, metric and /readyz say it
    as well. The client is made with the first outage."""

    def __init__(
        self,
        client_properties: Mapping[str, str],
        topic: str,
        source: str,
        routes_out: Callable[[], Mapping[str, str]],
    ) -> None:
        """topic: empty for none. source: the events' own. routes_out: the reason by route name."""
        self._properties = {**client_properties, **PROPERTIES}
        self._topic = topic
        self._source = source
        self._routes_out = routes_out
        self._producer: Producer | None = None
        self._is_refused = False
        self._since: dict[str, str] = {}
        self._told_at_s: dict[str, float] = {}

    async def run(self) -> None:
        while self._topic:
            self.look(time.monotonic())
            await asyncio.sleep(LOOK_S)

    def look(self, now_s: float) -> None:
        """Tell what has begun, goes on or has ended. now_s: a clock that goes forward."""
        out = self._routes_out()
        for route, reason in out.items():
            self._since.setdefault(route, datetime.now(UTC).isoformat(timespec="milliseconds"))
            if now_s - self._told_at_s.get(route, -TELL_S) >= TELL_S:
                self._told_at_s[route] = now_s
                self._tell(route, {"since": self._since[route], "reason": reason, "over": False})
        for route in self._since.keys() - out.keys():
            del self._told_at_s[route]
            self._tell(route, {"since": self._since.pop(route), "over": True})

    def close(self) -> None:
        """Give the client a moment for what it has not sent."""
        if self._producer is not None:
            self._producer.flush(LOOK_S)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and not self._is_refused:
            self._is_refused = True
            log.warning("outages cannot be told on the topic %s: %s", self._topic, words(error))

    def _tell(self, route: str, data: dict[str, Any]) -> None:
        event = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": self._source,
            "type": TYPE,
            "subject": route,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "datacontenttype": "application/json",
            "data": data,
        }
        try:
            if self._producer is None:
                self._producer = Producer(self._properties, logger=log)
            # A refusal is not lost on the operator: nobody would see outages on the page, and not know.
            headers: list[tuple[str, str | bytes | None]] = [("content-type", CONTENT_TYPE)]
            self._producer.produce(
                self._topic, orjson.dumps(event), route.encode(), headers=headers, on_delivery=self._delivered
            )
            self._producer.poll(0)
        except (KafkaException, BufferError) as error:
            log.debug("the outage of %s is not told on %s: %s", route, self._topic, error)
