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
    """Publishes each letter once to the topic that it came from: the progress is in the transaction.

    Key, value and the record's headers, and so the event's id, are unchanged. The dead letter's headers are removed.
    """

    def __init__(
        self,
        letters: DeadLetterTopic,
        publisher: ExactlyOnce,
        wanted: Filter,
        default_topic: str,
    ) -> None:
        """default_topic: for letters that do not name their topic."""
        self._letters = letters
        self._publisher = publisher
        self._wanted = wanted
        self._default_topic = default_topic
        self._topics: dict[str, int | str] = {}  # the number of partitions, or why it is unknown
        self.left = 0  # letters that could not be replayed
        self.left_because: list[str] = []  # the place and reason of the first MAX_NAMED of them

    def run(self) -> int:
        """Replay the letters that were not replayed before. Returns how many. Raises ConsumerError."""
        if not self._is_ready_within(ANSWER_S):
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
            raise ConsumerError(
                f"the last letters were not replayed. Start the replay again: {failure}"
            ) from None
        except (
            OutcomeUnknown
        ) as error:  # the next replay reads the progress, which is in the same transaction
            raise ConsumerError(
                f"it is not known whether the last letters were replayed. Start the replay again: {error}"
            ) from None
        return replayed

    def _is_ready_within(self, within_s: float) -> bool:
        until_s = time.monotonic() + within_s
        while not (is_ready := self._publisher.ready()) and time.monotonic() < until_s:
            pass
        return is_ready

    def _leave(self, letter: DeadLetter, reason: str) -> None:
        self.left += 1
        if len(self.left_because) < MAX_NAMED:
            self.left_because.append(f"{letter.place}: {reason}")

    def _obstacle(self, letter: DeadLetter) -> str:
        """Why the letter cannot be replayed; empty if it can. Raises ConsumerError."""
        if letter.record.flaw:
            return f"its topic cannot be read: {letter.record.flaw}"
        found = self._partitions(letter.topic or self._default_topic)
        return found if isinstance(found, str) else ""

    def _partitions(self, topic: str) -> int | str:
        topic = topic[:MAX_TOPIC_NAME]
        if topic not in self._topics:  # cached: each request waits for the fetch in progress
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
