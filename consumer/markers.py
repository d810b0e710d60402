"""How transactions ended, as the broker has told its partitions.

Kafka says that a transaction is committed first, and writes the marker of its end into each of its partitions
afterwards. Markers can be read: a partition in which a transaction is open has a last stable offset below its end, and
of a group for which offsets are pending the broker gives none.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from consumer.kafka_source import record
from consumer.lane import Partition
from consumer.transaction import Sent, Transaction, content_of
from interceptor.delivery import Record

ANSWER_S = 5.0
PENDING_S = 1.0  # offsets of transactions that go on are pending for less
RETRY_BACKOFF_MS = 5  # of a broker that says that offsets are pending; the default is 100
READ_AT_ONCE = 500
READ_STEP_S = 0.02  # it waits for as many until then
CLOCKS_S = 60.0  # the broker may date records, by a clock of its own

Offsets = dict[Partition, int]


class Markers:
    """Asks by clients of its own, made when they are needed. Raises KafkaException where the broker does not answer."""

    def __init__(
        self,
        properties: Mapping[str, str],
        group_id: str,
        input_topics: Sequence[str],
        output_topics: Sequence[str],
    ) -> None:
        self._properties: dict[str, Any] = {"log_level": 0, **properties}
        self._group_id = group_id
        self._input_topics, self.output_topics = tuple(input_topics), tuple(output_topics)
        self.inputs: list[Partition] = []
        self._outputs: list[Partition] = []
        self.ends: Offsets = {}  # of partitions in which all was seen to be ended
        self._others: Offsets = {}  # last stable offsets that open transactions of other producers hold
        self._lister: AdminClient | None = None
        self._asker: Consumer | None = None
        self._has_single_replicas = False

    def _admin(self) -> AdminClient:
        if self._lister is None:
            self._lister = AdminClient(self._properties)
        return self._lister

    def _group(self) -> Consumer:
        """One that never joins."""
        if self._asker is None:
            self._asker = self._reader("read_committed", {"retry.backoff.ms": RETRY_BACKOFF_MS})
        return self._asker

    def _reader(self, isolation: str, own: Mapping[str, Any]) -> Consumer:
        always = {"group.id": self._group_id, "isolation.level": isolation, "enable.auto.commit": False}
        return Consumer({**self._properties, **always, **own})

    @property
    def may_be_left_out(self) -> bool:
        """Whether the broker may leave markers out, as far as is known: where a partition has a single replica."""
        return self._has_single_replicas or not self._outputs

    def look(self) -> None:
        """Learn which partitions there are."""
        cluster = self._admin().list_topics(timeout=ANSWER_S)

        def partitions(topics: Iterable[str]) -> list[Partition]:
            known = [cluster.topics[name] for name in topics if name in cluster.topics]
            return [(str(topic.topic), number) for topic in known for number in topic.partitions]

        self.inputs, self._outputs = partitions(self._input_topics), partitions(self.output_topics)
        self._has_single_replicas = any(
            len(cluster.topics[topic].partitions[number].replicas) == 1 for topic, number in self._outputs
        )

    def metadata(self) -> Any:
        """Of somebody who is no member of the group: the broker takes offsets in a transaction of such a one."""
        return self._group().consumer_group_metadata()

    def open(self) -> list[Partition]:
        """The output partitions in which some transaction is open, of this producer or of another."""
        stable, ends = self._stable(self._outputs), self._last(self._outputs)
        return [place for place in self._outputs if stable[place] < ends[place]]

    def are_offsets_pending(self) -> bool:
        """Or the group's coordinator does not answer: Kafka's client does not tell the one from the other, and its
        admin client, which would, aborts the process where a coordinator is away (confluent-kafka 2.16)."""
        return bool(self.inputs) and self.committed(self.inputs, ANSWER_S) is None

    def committed(self, partitions: Iterable[Partition], within_s: float = PENDING_S) -> Offsets | None:
        """The group's offsets, negative where there is none; None while some are pending, or nobody answers."""
        try:
            told = self._group().committed([TopicPartition(*place) for place in partitions], within_s)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                return {}
            return None
        if any(place.error is not None for place in told):
            return None
        return {(place.topic, place.partition): place.offset for place in told}

    def are_written(self, transaction: Transaction, *, closely: bool = False) -> bool:
        """Whether all partitions of a transaction that has ended were told, and the group has its offsets.

        A partition behind an open transaction of another producer does not tell; it is left out once it was looked at
        `closely`, which takes some milliseconds.
        """
        if not self._outputs:
            self.look()  # the topics were made since
        places = self._places(transaction)
        if places:
            if transaction.ends is None:
                transaction.ends = self._last(places)
            stable = self._stable(places)
            behind = {place: stable[place] for place in places if stable[place] < transaction.ends[place]}
            if any(self._others.get(place) != offset for place, offset in behind.items()):
                if closely:
                    self._others = {place: behind[place] for place in self._of_others(behind, transaction)}
                return False
        if transaction.offsets and not self._covers(transaction.offsets):
            return False
        self.ends.update(transaction.ends or {})
        return True

    def are_behind_others(self, transaction: Transaction) -> bool:
        """Whether open transactions of other producers hide how this one ended."""
        places = self._places(transaction)
        stable, ends = self._stable(places), self._last(places)
        behind = {place: stable[place] for place in places if stable[place] < ends[place]}
        return bool(behind and self._of_others(behind, transaction))

    def _of_others(self, stable: Offsets, transaction: Transaction) -> list[Partition]:
        """Where what is open, from the last stable offsets on, is not of this transaction."""
        own = {sent.content for sent in transaction.records}
        first: dict[Partition, bool] = {}
        for read in self._read(stable, IsolationLevel.READ_UNCOMMITTED):
            first.setdefault((read.topic, read.partition), content_of(read) in own)
            if len(first) == len(stable):
                break
        return [place for place, is_own in first.items() if not is_own]

    def _covers(self, offsets: Mapping[Partition, int]) -> bool:
        committed = self.committed(offsets)
        return committed is not None and all(
            committed.get(partition, offset) >= offset for partition, offset in offsets.items()
        )

    def missing(self, transaction: Transaction) -> list[Sent] | None:
        """The records that readers of committed records do not see; None where the transaction was not committed."""
        places = self._places(transaction)
        stable, starts = self._stable(places), self._starts(places, transaction)
        left = {place: start for place, start in starts.items() if start < stable[place]}
        seen = Counter(content_of(read) for read in self._read(left, IsolationLevel.READ_COMMITTED))
        missing = []
        for sent in transaction.records:
            if seen[sent.content] > 0:
                seen[sent.content] -= 1
            else:
                missing.append(sent)
        is_told = len(missing) < len(transaction.records) or self.committed(transaction.offsets) == dict(
            transaction.offsets
        )
        return missing if is_told or transaction.is_committed else None

    def _starts(self, places: Sequence[Partition], transaction: Transaction) -> Offsets:
        """From where on its records may lie: what was read to be ended before, and not long before it began."""
        since_ms = int((transaction.began_at_s - CLOCKS_S) * 1000)
        dated = self._listed(places, IsolationLevel.READ_UNCOMMITTED, OffsetSpec.for_timestamp(since_ms))
        # -1: there is nothing as young.
        return {
            place: max(transaction.since.get(place, 0), start) for place, start in dated.items() if start >= 0
        }

    def _read(self, starts: Offsets, isolation: IsolationLevel) -> Iterator[Record]:
        """What is there from these offsets to the ends."""
        left = set(starts)
        if not left:
            return
        level = "read_committed" if isolation is IsolationLevel.READ_COMMITTED else "read_uncommitted"
        reader = self._reader(level, {"enable.partition.eof": True})
        try:
            reader.assign([TopicPartition(*place, start) for place, start in starts.items()])
            heard_s = time.monotonic()
            while left:
                messages = reader.consume(READ_AT_ONCE, READ_STEP_S)
                if messages:
                    heard_s = time.monotonic()
                elif time.monotonic() - heard_s > ANSWER_S:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the broker does not answer"))
                for message in messages:
                    error = message.error()
                    if error is None:
                        yield record(message)
                    elif error.code() == KafkaError._PARTITION_EOF:
                        left.discard((str(message.topic()), int(message.partition() or 0)))
        finally:
            reader.close()

    def _places(self, transaction: Transaction) -> list[Partition]:
        """Which it touches. Of a record by key any partition of its topic may be meant."""
        touched = {(sent.topic, sent.partition) for sent in transaction.records}
        by_key = {topic for topic, partition in touched if partition < 0}
        return [place for place in self._outputs if place in touched or place[0] in by_key]

    def _stable(self, places: Sequence[Partition]) -> Offsets:
        return self._listed(places, IsolationLevel.READ_COMMITTED)

    def _last(self, places: Sequence[Partition]) -> Offsets:
        return self._listed(places, IsolationLevel.READ_UNCOMMITTED)

    def _listed(
        self, places: Sequence[Partition], isolation: IsolationLevel, which: OffsetSpec | None = None
    ) -> Offsets:
        """Of each partition the offset that is asked for, or the end."""
        if not places:
            return {}
        which = which or OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(*place): which for place in places}
        for is_last in (False, True):
            told = self._admin().list_offsets(asked, isolation_level=isolation, request_timeout=ANSWER_S)
            try:
                return {
                    (place.topic, place.partition): answer.result().offset for place, answer in told.items()
                }
            except KafkaException:
                # After a broker's restart a client goes on asking by the leaders of before (FENCED_LEADER_EPOCH).
                self._lister = None
                if is_last:
                    raise
        raise AssertionError("unreachable")
