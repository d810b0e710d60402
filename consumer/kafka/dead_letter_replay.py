"""Publishes dead letters again to the topics that they came from."""

from __future__ import annotations

import time

from consumer.errors import ConsumerError, NotPublished, OutcomeUnknown
from consumer.kafka.dead_letters import ANSWER_S, CHUNK, DeadLetter, DeadLetterTopic, Filter, UnknownTopic
from consumer.kafka.exactly_once import ExactlyOnce

MAX_TOPIC_NAME = 250  # one more than Kafka allows, so that a longer name is still found to be too long
MAX_TOPICS = 1000  # topics whose number of partitions is remembered
MAX_NAMED = 20  # letters that could not be replayed and are named; the others are only counted


class Replay:
    """Publishes letters again where they came from, each once: its progress is in the transaction.

    Key, value and the record's own headers (so the event's id) are as they were; what the dead letter added is gone.
    """

    def __init__(
        self,
        letters: DeadLetterTopic,
        publisher: ExactlyOnce,
        wanted: Filter,
        default_topic: str,
    ) -> None:
        """default_topic: for letters that do not say where they came from."""
        self._letters = letters
        self._publisher = publisher
        self._wanted = wanted
        self._default_topic = default_topic
        self._topics: dict[str, int | str] = {}  # how many partitions each has, or why none
        self.left = 0  # letters that could not be replayed
        self.left_because: list[str] = []  # the first MAX_NAMED of them, each with its place and the reason

    def run(self) -> int:
        """Replay what is there now and was not replayed before. Returns how many. Raises ConsumerError."""
        if not self._is_started_within(ANSWER_S):
            raise ConsumerError("Kafka does not answer")
        offsets: dict[tuple[str, int], int] = {}
        replayed = unfinished = 0
        try:
            for letter in self._letters.read(self._letters.committed()):
                offsets[self._letters.topic, letter.record.partition] = letter.record.offset + 1
                unfinished += 1
                if letter in self._wanted:
                    if obstacle := self._obstacle(letter):
                        self._leave(letter, obstacle)
                    else:
                        self._publish(letter)
                        replayed += 1
                if unfinished >= CHUNK:
                    self._publisher.commit(offsets, self._letters.metadata())
                    unfinished = 0
            if unfinished:
                self._publisher.commit(offsets, self._letters.metadata())
        except NotPublished as failure:
            raise ConsumerError(f"the last of them were not replayed, start it again: {failure}") from None
        except OutcomeUnknown as doubt:  # the progress is in the same transaction: the next replay reads it
            raise ConsumerError(
                f"whether the last of them were replayed is not known, start it again: {doubt}"
            ) from None
        return replayed

    def _is_started_within(self, within_s: float) -> bool:
        until_s = time.monotonic() + within_s
        while not (is_started := self._publisher.ready()) and time.monotonic() < until_s:
            pass
        return is_started

    def _leave(self, letter: DeadLetter, reason: str) -> None:
        self.left += 1
        if len(self.left_because) < MAX_NAMED:
            self.left_because.append(f"{letter.place}: {reason}")

    def _obstacle(self, letter: DeadLetter) -> str:
        """Why it cannot be published where it came from; empty where it can. Raises ConsumerError."""
        if letter.record.flaw:
            return f"where it came from cannot be read: {letter.record.flaw}"
        found = self._partitions(letter.topic or self._default_topic)
        return found if isinstance(found, str) else ""

    def _partitions(self, topic: str) -> int | str:
        topic = topic[:MAX_TOPIC_NAME]  # which is one too many
        if topic not in self._topics:  # asked once: each question waits for the fetch that is under way
            if len(self._topics) >= MAX_TOPICS:
                self._topics.clear()
            try:
                self._topics[topic] = len(self._letters.partitions(topic))
            except UnknownTopic as error:
                self._topics[topic] = str(error)
        return self._topics[topic]

    def _publish(self, letter: DeadLetter) -> None:
        topic, partition, record = letter.topic or self._default_topic, letter.partition, letter.record
        count = self._partitions(topic)
        if partition is None or isinstance(count, str) or partition >= count:
            partition = -1
        self._publisher.publish(topic, partition, record.key, record.value, letter.headers)
