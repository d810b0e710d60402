"""Publishes dead letters again to the topics that they came from."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from consumer.errors import AccessDenied, ConsumerError, NotPublished, OutcomeUnknown, RecordRejected
from consumer.kafka.dead_letters.filter import DeadLetterFilter
from consumer.kafka.dead_letters.stored import StoredDeadLetter
from consumer.kafka.dead_letters.topic import ANSWER_S, CHUNK, DeadLetterTopic, UnknownTopic
from consumer.kafka.publishers.exactly_once import ExactlyOnce
from consumer.kafka.topics.replication import INTERNAL

CHUNK_BYTES = 16 * 1024 * 1024  # values in one transaction, which are kept in memory
MAX_FAILURES = 3  # transactions that fail without a rejected letter
MAX_TOPIC_NAME = 250  # one character more than Kafka allows: a name that is cut here is still invalid
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
        wanted: DeadLetterFilter,
        default_topic: str,
    ) -> None:
        """default_topic: for letters that do not name their topic."""
        self._letters = letters
        self._publisher = publisher
        self._wanted = wanted
        self._default_topic = default_topic
        self._topics: dict[str, int | str] = {}  # the number of partitions, or why it is unknown
        self.unreplayed = 0  # letters that could not be replayed
        self.unreplayed_reasons: list[str] = []  # the place and reason of the first MAX_NAMED of them

    def run(self) -> int:
        """Replay the letters that were not replayed before. Returns how many. Raises ConsumerError."""
        if not self._is_ready_within(ANSWER_S):
            raise ConsumerError("Kafka does not answer")
        offsets: dict[tuple[str, int], int] = {}
        waiting: list[StoredDeadLetter] = []
        replayed = unfinished = size = 0
        for letter in self._letters.read(self._letters.committed()):
            offsets[self._letters.topic, letter.record.partition] = letter.record.offset + 1
            unfinished += 1
            if letter in self._wanted:
                waiting.append(letter)
                size += len(letter.record.value or b"")
            if unfinished >= CHUNK or size >= CHUNK_BYTES:
                replayed += self._commit(waiting, offsets)
                waiting, unfinished, size = [], 0, 0
        if unfinished:
            replayed += self._commit(waiting, offsets)
        return replayed

    def preview(self) -> Iterator[tuple[StoredDeadLetter, str]]:
        """Each letter that `run` would take, and why it cannot be replayed; empty if it can. Raises ConsumerError."""
        for letter in self._letters.read(self._letters.committed()):
            if letter in self._wanted:
                yield letter, self._obstacle(letter) or self._size_problem(letter)

    def _size_problem(self, letter: StoredDeadLetter) -> str:
        topic, record = self._topic_of(letter), letter.record
        fits = self._publisher.fits(topic, record.key, record.value, letter.headers)
        return "" if fits else f"it is larger than the topic {topic!r} allows"

    def _commit(self, letters: list[StoredDeadLetter], offsets: Mapping[tuple[str, int], int]) -> int:
        """Replay the letters in one transaction with the progress. Returns how many. Raises ConsumerError.

        If a topic rejects a letter, the transaction starts again without this letter.
        """
        failures = 0
        while True:
            letters = self._without_obstacle(letters)
            try:
                rejected = self._publish_until_rejected(letters)
                if rejected is None:
                    self._publisher.commit(offsets, self._letters.metadata())
                    return len(letters)
                letters = [letter for letter in letters if letter is not rejected]
            except AccessDenied as error:
                if not any(self._topic_of(letter) in error.topics for letter in letters):
                    raise
                self._topics.update(dict.fromkeys(error.topics, str(error)))
            except NotPublished as failure:
                failures += 1
                if failures == MAX_FAILURES:
                    raise ConsumerError(
                        f"the last letters were not replayed. Start the replay again: {failure}"
                    ) from None
                self._topics.clear()  # a topic may have been deleted
            except OutcomeUnknown as error:
                # The next replay reads the progress, which is in the same transaction.
                raise ConsumerError(
                    f"it is not known whether the last letters were replayed. Start the replay again: {error}"
                ) from None
            self._publisher.abort()
            if not self._is_ready_within(ANSWER_S):
                raise ConsumerError("the last letters were not replayed: Kafka does not answer")

    def _publish_until_rejected(self, letters: list[StoredDeadLetter]) -> StoredDeadLetter | None:
        """Publish the letters. Returns the first that its topic rejects. Raises NotPublished, ConsumerError."""
        for letter in letters:
            try:
                self._publish(letter)
            except RecordRejected as error:
                self._skip(letter, str(error))
                return letter
        return None

    def _without_obstacle(self, letters: list[StoredDeadLetter]) -> list[StoredDeadLetter]:
        kept = []
        for letter in letters:
            if obstacle := self._obstacle(letter):
                self._skip(letter, obstacle)
            else:
                kept.append(letter)
        return kept

    def _is_ready_within(self, within_s: float) -> bool:
        until_s = time.monotonic() + within_s
        while not (is_ready := self._publisher.ready()) and time.monotonic() < until_s:
            pass
        return is_ready

    def _skip(self, letter: StoredDeadLetter, reason: str) -> None:
        self.unreplayed += 1
        if len(self.unreplayed_reasons) < MAX_NAMED:
            self.unreplayed_reasons.append(f"{letter.place}: {reason}")

    def _topic_of(self, letter: StoredDeadLetter) -> str:
        return letter.topic or self._default_topic

    def _obstacle(self, letter: StoredDeadLetter) -> str:
        """Why the letter cannot be replayed; empty if it can. Raises ConsumerError."""
        if letter.record.flaw:
            return f"its topic cannot be read: {letter.record.flaw}"
        topic = self._topic_of(letter)
        if topic in INTERNAL:
            return f"Kafka alone writes to the topic {topic!r}"
        found = self._partitions(topic)
        return found if isinstance(found, str) else ""

    def _partitions(self, topic: str) -> int | str:
        topic = topic[:MAX_TOPIC_NAME]
        if topic not in self._topics:
            if len(self._topics) >= MAX_TOPICS:
                self._topics.clear()
            try:
                self._topics[topic] = self._letters.partitions_to_write(topic)
            except UnknownTopic as error:
                self._topics[topic] = str(error)
        return self._topics[topic]

    def _publish(self, letter: StoredDeadLetter) -> None:
        topic, partition, record = self._topic_of(letter), letter.partition, letter.record
        count = self._partitions(topic)
        if partition is None or isinstance(count, str) or partition >= count:
            partition = -1
        self._publisher.publish(topic, partition, record.key, record.value, letter.headers)
