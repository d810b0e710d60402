"""Publishes the inputs of a test."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from consumer.settings import KafkaSettings
from fncast.testing.errors import NotProcessed
from fncast.testing.events import completed
from fncast.testing.records import Headers, InputRecord

STRUCTURED = b"application/cloudevents+json"
CREATE_S = 60.0  # to create a topic

Input = Mapping[str, Any] | bytes | InputRecord
Place = tuple[str, int, int]  # topic, partition and offset


class InputPublisher:
    """A producer for the input topics. Used by one thread."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._topics = kafka.input_topics
        self._producer = Producer({**kafka.client_properties(), "enable.idempotence": True, "log_level": 0})
        for topic in self._topics:
            self._producer.list_topics(topic, CREATE_S)  # the embedded broker creates it

    def publish(self, inputs: Sequence[Input], within_s: float) -> list[Place]:
        """Publish the inputs. Returns the place of each. Raises NotProcessed."""
        places: list[Place] = []
        errors: list[str] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                errors.append(error.str())
            else:
                places.append((str(message.topic()), message.partition() or 0, message.offset() or 0))

        for each in inputs:
            record = as_record(each)
            self._producer.produce(
                record.topic or self._topics[0],
                record.value,
                record.key,
                record.partition,
                on_delivery=delivered,
                headers=list(record.headers),
            )
        unsent = self._producer.flush(within_s)
        if unsent or errors:
            raise NotProcessed(
                f"{unsent + len(errors)} inputs were not published: {'; '.join(errors) or 'no answer'}"
            )
        return places


def as_record(given: Input) -> InputRecord:
    """The record of an input. An event without a `partitionkey` has no key."""
    if isinstance(given, InputRecord):
        return given
    if isinstance(given, bytes):
        return InputRecord(given)
    event = completed(given)
    key = event.get("partitionkey")
    headers: Headers = [("content-type", STRUCTURED)]
    return InputRecord(json.dumps(event).encode(), None if key is None else str(key).encode(), headers)
