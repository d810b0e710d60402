"""How transactions ended, as the broker has told the partitions of outputs.

Kafka says that a transaction is committed first, and writes the marker of its end into each of its partitions
afterwards. Markers can be read: a partition in which a transaction is open has a last stable offset below its end.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from confluent_kafka import OFFSET_END, KafkaError, KafkaException, TopicPartition

from consumer.askers import COMMITTED, UNCOMMITTED, Askers
from consumer.group_offsets import ANSWER_S
from consumer.kafka_source import MAX_FETCH_BYTES, MAX_PREFETCH_KB, record
from consumer.lane import Partition
from consumer.transaction import Sent, Transaction, content_of
from interceptor.delivery import Record

READ_AT_ONCE = 500
READ_STEP_S = 0.02  # a read waits for so many until then
CLOCKS_S = 60.0  # the broker may date records, by a clock of its own

Offsets = dict[Partition, int]


class Markers:
    """Asks by clients of its own, made when they are needed. Raises KafkaException where the broker does not answer."""

    def __init__(
        self, properties: Mapping[str, str], input_topics: Sequence[str], output_topics: Sequence[str]
    ) -> None:
        self._askers = Askers(properties, "fncast")
        self._input_topics, self.output_topics = tuple(input_topics), tuple(output_topics)
        self.inputs: list[Partition] = []
        self._outputs: list[Partition] = []
        self._has_single_replicas = False
        self.ends: Offsets = {}  # of partitions in which all was seen to be ended
        self._others: Offsets = {}  # last stable offsets that open transactions of other producers hold

    @property
    def may_be_left_out(self) -> bool:
        """Whether the broker may leave markers out, as far as is known: where a partition has a single replica."""
        return self._has_single_replicas or not self._outputs

    def look(self) -> None:
        """Learn which partitions there are."""
        topics = self._askers[COMMITTED].list_topics(timeout=ANSWER_S).topics

        def partitions(names: Sequence[str]) -> list[Partition]:
            return [(name, number) for name in names if name in topics for number in topics[name].partitions]

        self.inputs, self._outputs = partitions(self._input_topics), partitions(self.output_topics)
        self._has_single_replicas = any(
            len(topics[name].partitions[number].replicas) == 1 for name, number in self._outputs
        )

    def open(self) -> list[Partition]:
        """The output partitions in which some transaction is open, of this producer or of another."""
        places = self._outputs
        stable, ends = self._listed(places, COMMITTED), self._listed(places, UNCOMMITTED)
        self.ends.update({place: ends[place] for place in places if stable[place] == ends[place]})
        return [place for place in places if stable[place] < ends[place]]

    def are_written(self, transaction: Transaction, *, closely: bool = False) -> bool:
        """Whether all partitions of a transaction that has ended were told.

        A partition behind an open transaction of another producer does not tell; it is left out once it was looked at
        `closely`, which takes some milliseconds.
        """
        behind = self._behind(transaction)
        if any(self._others.get(place) != offset for place, offset in behind.items()):
            if closely:
                self._others = {place: behind[place] for place in self._of_others(behind, transaction)}
            return False
        self.ends.update(transaction.ends or {})
        return True

    def are_behind_others(self, transaction: Transaction) -> bool:
        """Whether open transactions of other producers hide how this one ended."""
        behind = self._behind(transaction)
        return bool(behind and self._of_others(behind, transaction))

    def missing(self, transaction: Transaction) -> list[Sent]:
        """The records that readers of committed records do not see."""
        places = self._places(transaction)
        starts, stable = self._starts(places, transaction), self._listed(places, COMMITTED)
        own = {content_of(sent) for sent in transaction.records}
        seen = Counter(
            content for content in map(content_of, self._read(starts, stable, COMMITTED)) if content in own
        )
        missing = []
        for sent in transaction.records:
            content = content_of(sent)
            if seen[content] > 0:
                seen[content] -= 1
            else:
                missing.append(sent)
        return missing

    def _behind(self, transaction: Transaction) -> Offsets:
        """The last stable offsets of those of its partitions in which something is open from before its end."""
        places = self._places(transaction)
        if transaction.ends is None:
            transaction.ends = self._listed(places, UNCOMMITTED)
        stable = self._listed(places, COMMITTED)
        return {place: stable[place] for place in places if stable[place] < transaction.ends.get(place, 0)}

    def _of_others(self, behind: Offsets, transaction: Transaction) -> list[Partition]:
        """Where what is open, from the last stable offsets on, is not of this transaction."""
        own = {content_of(sent) for sent in transaction.records}
        first: dict[Partition, bool] = {}
        for read in self._read(behind, transaction.ends or {}, UNCOMMITTED):
            first.setdefault((read.topic, read.partition), content_of(read) in own)
            if len(first) == len(behind):
                break
        return [place for place, is_own in first.items() if not is_own]

    def _places(self, transaction: Transaction) -> list[Partition]:
        """Which it touches. Of a record by key any partition of its topic may be meant."""
        touched = transaction.touched
        by_key = {topic for topic, partition in touched if partition < 0}
        known, topics = set(self._outputs), {topic for topic, _ in self._outputs}
        if not by_key <= topics or any(place not in known for place in touched if place[1] >= 0):
            self.look()  # it was made since
        return [place for place in self._outputs if place in touched or place[0] in by_key]

    def _starts(self, places: Sequence[Partition], transaction: Transaction) -> Offsets:
        """From where on its records may lie: what was ended before, and not long before it began."""
        since_ms = int((transaction.began_at_s - CLOCKS_S) * 1000)
        dated = self._listed(places, UNCOMMITTED, since_ms)
        # -1: there is nothing as young.
        return {
            place: max(transaction.since.get(place, 0), start) for place, start in dated.items() if start >= 0
        }

    def _read(
        self, starts: Mapping[Partition, int], ends: Mapping[Partition, int], level: str
    ) -> Iterator[Record]:
        """What is there between these offsets; the ends are not, or those of the partition where it ends sooner."""
        left = {place: ends[place] for place, start in starts.items() if start < ends[place]}
        if not left:
            return
        own = {
            "enable.partition.eof": True,
            "queued.max.messages.kbytes": MAX_PREFETCH_KB,
            "fetch.max.bytes": MAX_FETCH_BYTES,
        }
        reader = self._askers.another(level, own)
        try:
            reader.assign([TopicPartition(*place, starts[place]) for place in left])
            heard_s = time.monotonic()
            while left:
                messages = reader.consume(READ_AT_ONCE, READ_STEP_S)
                if messages:
                    heard_s = time.monotonic()
                elif time.monotonic() - heard_s > ANSWER_S:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the broker does not answer"))
                for message in messages:
                    place, error = (str(message.topic()), int(message.partition() or 0)), message.error()
                    if error is not None and error.code() != KafkaError._PARTITION_EOF:
                        if not error.retriable():
                            raise KafkaException(error)
                    elif error is not None or int(message.offset() or 0) >= left.get(place, 0):
                        left.pop(place, None)
                    else:
                        yield record(message)
        finally:
            reader.close()

    def _listed(self, places: Sequence[Partition], isolation: str, since_ms: int = OFFSET_END) -> Offsets:
        """Of each partition the end, or where it was at that time."""
        if not places:
            return {}
        try:
            return self._list(places, isolation, since_ms)
        except KafkaException:
            # After a broker's restart a client goes on asking by the leaders of before (FENCED_LEADER_EPOCH).
            self._askers.renew()
            return self._list(places, isolation, since_ms)

    def _list(self, places: Sequence[Partition], isolation: str, since_ms: int) -> Offsets:
        """By a consumer: the admin client's `list_offsets` takes 3 s now and then (confluent-kafka 2.16)."""
        asked = [TopicPartition(*place, since_ms) for place in places]
        told = self._askers[isolation].offsets_for_times(asked, ANSWER_S)
        for place in told:
            if place.error is not None:
                raise KafkaException(place.error)
        return {(place.topic, place.partition): place.offset for place in told}
