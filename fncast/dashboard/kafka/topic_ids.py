"""Notices topics that were deleted and created again, which Kafka's client does not."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from fncast.dashboard.kafka.reader_client import DebugLog

log = logging.getLogger(__name__)

# The pause between two requests. Records of this time may be read twice if their topic is created again.
LOOK_S = 2.0
ANSWER_S = 5.0


class TopicIds:
    """Remembers the ids of topics: a topic that is created again has another one.

    Used by the reader's thread and never blocks it: one call asks, a later call takes the answers.
    """

    def __init__(self, client_properties: Mapping[str, str]) -> None:
        self._properties: dict[str, Any] = dict(client_properties)
        self._admin: Any = None
        self._known: dict[str, str] = {}
        self._answers: Mapping[str, Future[Any]] = {}
        self._asked_at_s = float("-inf")

    def created_again(self, now_s: float, topics: Sequence[str]) -> list[str]:
        """The topics whose id has changed. now_s: monotonic. A topic without an answer keeps its known id."""
        if now_s < self._asked_at_s + LOOK_S or not all(answer.done() for answer in self._answers.values()):
            return []
        changed = []
        for topic, answer in self._answers.items():
            try:
                found = str(answer.result().topic_id)
            except KafkaException as error:
                log.debug("the id of topic %s is not known: %s", topic, error)
                continue
            if self._known.setdefault(topic, found) != found:
                self._known[topic] = found
                changed.append(topic)
        self._ask(now_s, topics)
        return changed

    def forget(self, topic: str) -> None:
        """Forget a topic that does not exist: a later topic of this name is new anyway."""
        self._known.pop(topic, None)
        self._answers = {other: answer for other, answer in self._answers.items() if other != topic}

    def _ask(self, now_s: float, topics: Sequence[str]) -> None:
        self._asked_at_s, self._answers = now_s, {}
        try:
            if self._admin is None:
                self._admin = AdminClient(self._properties, logger=DebugLog())
            collection = TopicCollection(list(topics))
            self._answers = self._admin.describe_topics(collection, request_timeout=ANSWER_S)
        except KafkaException as error:
            log.debug("the ids of the topics are not known: %s", error)
