"""Watches the consumer's topics while it runs: Kafka's client notices neither a topic that was created again under the
same name, nor how many records wait behind a partition that it does not fetch from.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from consumer.lane import Partition

END = OffsetSpec.latest()  # type: ignore[no-untyped-call]

log = logging.getLogger("fncast.kafka")

LOOK_S = 1.0  # after a topic was created again, records of this span may be forecast twice
ANSWER_S = 5.0
SILENT_S = 30.0  # a client that gets no answer for so long gives way to a new one


class TopicState(NamedTuple):
    """id: which a topic created again does not share with the one before it."""

    id: str
    partitions: int


class Changes(NamedTuple):
    """created_again: topics that were deleted and created. resized: topics that have another number of partitions."""

    created_again: list[str]
    resized: list[str]


def changes(known: Mapping[str, TopicState], found: Mapping[str, TopicState]) -> Changes:
    """What is different in `found`. A topic that is only in one of them is no change: it may be about to be created."""
    both = [topic for topic in found if topic in known]
    return Changes(
        [topic for topic in both if found[topic].id != known[topic].id],
        [topic for topic in both if found[topic].partitions != known[topic].partitions],
    )


class TopicWatch:
    """Used by the loop's thread, which it never makes wait: it asks, and looks at the answers the next time."""

    def __init__(
        self, admin: Callable[[], AdminClient], renew: Callable[[], None], topics: Iterable[str]
    ) -> None:
        """admin: the client to ask with. renew: replace it by a new one."""
        self._admin = admin
        self._renew = renew
        self._topics = list(topics)
        self._known: dict[str, TopicState] = {}
        self._descriptions: Mapping[str, Future[Any]] = {}
        self._offsets: Mapping[TopicPartition, Future[Any]] = {}
        self._asked: AdminClient | None = None  # kept: a client that is gone answers nothing any more
        self._look_at_s = 0.0
        self._heard_at_s: float | None = None
        self.ends: dict[Partition, int] = {}

    def look(self, now_s: float, assigned: Sequence[Partition]) -> Changes:
        """What has changed since the last call. Keeps `ends`, the offset behind the last record of each partition."""
        if now_s < self._look_at_s or not self._is_answered():
            return Changes([], [])
        self._look_at_s = now_s + LOOK_S
        found = self._take_descriptions()
        self._take_ends(assigned)
        if found or self._heard_at_s is None:
            self._heard_at_s = now_s
        elif now_s - self._heard_at_s >= SILENT_S:
            self._heard_at_s = now_s
            self._renew()
        self._ask(assigned)
        changed = changes(self._known, found)
        self._known |= found
        return changed

    def _is_answered(self) -> bool:
        return all(answer.done() for answer in (*self._descriptions.values(), *self._offsets.values()))

    def _take_descriptions(self) -> dict[str, TopicState]:
        found = {}
        for topic, answer in self._descriptions.items():
            try:
                description = answer.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    log.debug("topic %s cannot be looked at: %s", topic, error)
            else:
                found[topic] = TopicState(str(description.topic_id), len(description.partitions))
        return found

    def _take_ends(self, assigned: Sequence[Partition]) -> None:
        for place, answer in self._offsets.items():
            try:
                self.ends[place.topic, place.partition] = answer.result().offset
            except KafkaException as error:
                log.debug("the end of %s/%d is not known: %s", place.topic, place.partition, error)
        for partition in self.ends.keys() - set(assigned):
            del self.ends[partition]

    def _ask(self, assigned: Sequence[Partition]) -> None:
        self._asked = admin = self._admin()
        self._descriptions, self._offsets = {}, {}
        try:
            self._descriptions = admin.describe_topics(
                TopicCollection(self._topics), request_timeout=ANSWER_S
            )
            if assigned:
                asked = {TopicPartition(*partition): END for partition in assigned}
                self._offsets = admin.list_offsets(asked, request_timeout=ANSWER_S)
        except KafkaException as error:
            log.debug("the topics cannot be looked at: %s", error)
