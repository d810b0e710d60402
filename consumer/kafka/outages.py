"""Publishes outages of routes to a topic, for readers that only read topics, such as the live page."""

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

from fncast.wording.kafka import describe

log = logging.getLogger("fncast.kafka")

TYPE = "io.fncast.outage.v1"
LOOK_S = 0.5  # between two looks at the routes
# An outage is published repeatedly while it lasts. A reader that gets nothing for three such periods knows that the
# consumer has stopped, and does not know the route's state.
REPEAT_S = 5.0
CONTENT_TYPE = b"application/cloudevents+json; charset=utf-8"
# Publishing outages must not slow down events: few retries, a small queue.
PROPERTIES: Mapping[str, Any] = {
    "log_level": 0,
    "acks": "1",
    "message.timeout.ms": 5_000,
    "queue.buffering.max.messages": 1_000,
}


class Outages:
    """`run` checks the routes until it is cancelled. The Kafka client is created with the first outage.

    An event that cannot be published is dropped: the log, the metric and /readyz report the outage as well.
    """

    def __init__(
        self,
        client_properties: Mapping[str, str],
        topic: str,
        source: str,
        routes_out: Callable[[], Mapping[str, str]],
    ) -> None:
        """topic: empty to publish nothing. source: of the events. routes_out: reasons by route name."""
        self._properties = {**client_properties, **PROPERTIES}
        self._topic = topic
        self._source = source
        self._routes_out = routes_out
        self._producer: Producer | None = None
        self._is_rejected = False
        self._since: dict[str, str] = {}
        self._published_at_s: dict[str, float] = {}

    async def run(self) -> None:
        """Publish outages until cancelled. Returns at once without a topic."""
        while self._topic:
            self.look(time.monotonic())
            await asyncio.sleep(LOOK_S)

    def look(self, now_s: float) -> None:
        """Publish outages that began, continue or ended. now_s: a monotonic time."""
        out = self._routes_out()
        for route, reason in out.items():
            self._since.setdefault(route, datetime.now(UTC).isoformat(timespec="milliseconds"))
            if now_s - self._published_at_s.get(route, -REPEAT_S) >= REPEAT_S:
                self._published_at_s[route] = now_s
                self._publish(route, {"since": self._since[route], "reason": reason, "over": False})
        for route in self._since.keys() - out.keys():
            del self._published_at_s[route]
            self._publish(route, {"since": self._since.pop(route), "over": True})

    def close(self) -> None:
        """Wait a moment until the client has sent its events."""
        if self._producer is not None:
            self._producer.flush(LOOK_S)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and not self._is_rejected:
            self._is_rejected = True
            log.warning("outages cannot be published to the topic %s: %s", self._topic, describe(error))

    def _publish(self, route: str, data: dict[str, Any]) -> None:
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
            # `_delivered` logs a rejection: otherwise the page would silently show no outages.
            headers: list[tuple[str, str | bytes | None]] = [("content-type", CONTENT_TYPE)]
            self._producer.produce(
                self._topic, orjson.dumps(event), route.encode(), headers=headers, on_delivery=self._delivered
            )
            self._producer.poll(0)
        except (KafkaException, BufferError) as error:
            log.debug("the outage of %s was not published to %s: %s", route, self._topic, error)
