"""Watches the consumer's topics while it runs.

Kafka's client does not notice a topic that was deleted and created again. It also does not know the end of a partition
that it does not fetch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from consumer.kafka.errors import reported_offset
from consumer.lanes.lane import Partition

END = OffsetSpec.latest()  # type: ignore[no-untyped-call]

log = logging.getLogger("fncast.kafka")

LOOK_S = 1.0  # between two requests. If a topic is created again, records of this span may be forecast twice
ANSWER_S = 5.0
# Errors of requests that no broker has answered.
UNREACHED = frozenset(
    {KafkaError._TIMED_OUT, KafkaError._TIMED_OUT_QUEUE, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN}
)
SILENT_S = 30.0  # a client without an answer for so long is replaced


class TopicState(NamedTuple):
    """id: a topic that is created again gets another one. partitions: their number."""

    id: str
    partitions: int


class Changes(NamedTuple):
    """created_again: topics that were deleted and created. resized: topics with another number of partitions."""

    created_again: list[str]
    resized: list[str]


def changes(known: Mapping[str, TopicState], found: Mapping[str, TopicState]) -> Changes:
    """What differs in `found`. A topic that only one of them has does not count: it may be about to be created."""
    both = [topic for topic in found if topic in known]
    return Changes(
        [topic for topic in both if found[topic].id != known[topic].id],
        [topic for topic in both if found[topic].partitions != known[topic].partitions],
    )


class TopicWatch:
    """Used by the loop's thread, and never blocks it: one call asks, a later call reads the answers.

    ends: by assigned partition the offset after the last record. seen_at_s: by topic, when this watch asked for the id
    that was last confirmed. After that moment the topic may have been created again.
    """

    def __init__(
        self, admin: Callable[[], AdminClient], replace_client: Callable[[], None], topics: Iterable[str]
    ) -> None:
        """admin: returns the current client. replace_client: replaces it by a new one."""
        self._admin = admin
        self._replace_client = replace_client
        self._topics = list(topics)
        self._known: dict[str, TopicState] = {}
        self._descriptions: Mapping[str, Future[Any]] = {}
        self._offsets: Mapping[TopicPartition, Future[Any]] = {}
        self._asked: AdminClient | None = None  # a reference: a client that is deleted does not answer
        self._look_at_s = 0.0
        self._asked_at_s = 0.0
        self._heard_at_s: float | None = None
        self._unanswered_since_s: float | None = None  # when the first request was sent that has no answer
        self.ends: dict[Partition, int] = {}
        self.seen_at_s: dict[str, float] = {}

    def look(self, now_s: float, assigned: Sequence[Partition]) -> Changes:
        """What has changed since the last call. Updates `ends`."""
        if now_s < self._look_at_s or not self._is_answered():
            return Changes([], [])
        self._look_at_s = now_s + LOOK_S
        if self._has_answers():
            self._unanswered_since_s = None
        found = self._take_descriptions()
        self._take_ends(assigned)
        if found or self._heard_at_s is None:
            self._heard_at_s = now_s
        elif now_s - self._heard_at_s >= SILENT_S:
            self._heard_at_s = now_s
            self._replace_client()
        changed = changes(self._known, found)
        self._known |= found
        for topic in found.keys() - set(changed.created_again):
            self.seen_at_s[topic] = self._asked_at_s
        self._ask(assigned)
        self._asked_at_s = now_s
        if self._unanswered_since_s is None:
            self._unanswered_since_s = now_s
        return changed

    def silent_s(self, now_s: float) -> float:
        """For how long the broker has not answered; 0 while it answers. Any thread may call this."""
        since_s = self._unanswered_since_s
        return 0.0 if since_s is None or self._has_answers() else now_s - since_s

    def _has_answers(self) -> bool:
        """Whether the broker has answered everything, perhaps with an error."""
        answers = (*self._descriptions.values(), *self._offsets.values())
        return bool(answers) and all(answer.done() and _is_from_broker(answer) for answer in answers)

    def _is_answered(self) -> bool:
        return all(answer.done() for answer in (*self._descriptions.values(), *self._offsets.values()))

    def _take_descriptions(self) -> dict[str, TopicState]:
        found = {}
        for topic, answer in self._descriptions.items():
            try:
                description = answer.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    log.debug("the topic %s cannot be described: %s", topic, error)
            else:
                found[topic] = TopicState(str(description.topic_id), len(description.partitions))
        return found

    def _take_ends(self, assigned: Sequence[Partition]) -> None:
        for topic_partition, answer in self._offsets.items():
            topic, number = topic_partition.topic, topic_partition.partition
            try:
                self.ends[topic, number] = reported_offset(topic_partition, answer)
            except KafkaException as error:
                log.debug("the end of %s/%d is not known: %s", topic, number, error)
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
                ends_to_read = {TopicPartition(*partition): END for partition in assigned}
                self._offsets = admin.list_offsets(ends_to_read, request_timeout=ANSWER_S)
        except KafkaException as error:
            log.debug("the topics cannot be described: %s", error)


def _is_from_broker(answer: Future[Any]) -> bool:
    error = answer.exception()
    return not isinstance(error, KafkaException) or error.args[0].code() not in UNREACHED
