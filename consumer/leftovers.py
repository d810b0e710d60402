"""What an earlier producer of the same identity left open: ended before anything new is published.

A producer that begins transactions has what its predecessor left open aborted by the broker (KIP-98), and what the
predecessor had been told to be committed is committed. A Kafka whose partitions have no leader for a moment, as those
of a sole node have none from when it begins to stop until it is back, leaves out the markers of what it ends then (seen
of 4.3.0; KAFKA-20734: "Couldn't find leader endpoint … these partitions are likely deleted already"). The records stay
open in their partitions, and whatever transaction of the same identity touches the partition next ends them with
itself, as committed or aborted as it is. Likewise stay the offsets, and nobody is told where the group reads on.

So what is open is ended by a transaction that is aborted, and what was committed and is not to be read is published
again with its offsets.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from consumer.call import ended_within
from consumer.group_offsets import ANSWER_S, GroupOffsets
from consumer.lane import Partition
from consumer.markers import Markers
from consumer.transaction import Sent, Transaction

# The aborted record is seen by readers of uncommitted records alone.
KEY, VALUE = b"fncast: aborted", b""
QUEUE_FULL_POLL_S = 0.1
LOOK_S = 0.02  # between two looks at what a broker is still doing
# Another producer's open transaction hides how one of this producer ended until it has timed out, or its producer is
# back: 10 s, and as long as the broker takes to look.
OTHERS_S = 25.0
TELLING_S = 5.0  # some milliseconds, usually
TELLING_LOOK_S = 0.001
CLOSELY_S = 0.25  # then it may be others that hide it


class Leftovers:
    def __init__(self, markers: Markers, offsets: GroupOffsets) -> None:
        self._markers = markers
        self._offsets = offsets

    @classmethod
    def of(
        cls,
        properties: Mapping[str, str],
        group_id: str,
        input_topics: Sequence[str],
        output_topics: Sequence[str],
    ) -> Leftovers:
        """Of whoever publishes to these outputs what the group has read from those inputs."""
        return cls(Markers(properties, input_topics, output_topics), GroupOffsets(properties, group_id))

    @property
    def may_be_made(self) -> bool:
        """Whether the broker may leave something open of what it has said to be committed."""
        return self._markers.may_be_left_out

    def names(self, cause: KafkaError) -> Sequence[str]:
        """What a login may be denied by this error."""
        if cause.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return self._markers.output_topics
        return [self._offsets.group_id] if cause.code() == KafkaError.GROUP_AUTHORIZATION_FAILED else []

    def transaction(
        self, records: list[Sent], offsets: Mapping[Partition, int], token: str, began_at_s: float
    ) -> Transaction:
        """One of which it may have to be found out how it ended."""
        return Transaction(records, dict(offsets), token, began_at_s, dict(self._markers.ends))

    def are_none(self, transaction: Transaction, is_over: Callable[[], bool]) -> bool:
        """Whether nothing is left open of one that is committed, once the broker has had time to write its markers, or
        until it `is_over`."""
        if not self.may_be_made:
            return True
        began_s = time.monotonic()
        while True:
            waited_s = time.monotonic() - began_s
            is_close = waited_s >= CLOSELY_S
            with contextlib.suppress(KafkaException):
                if self._is_told(transaction, closely=is_close):
                    return True
            if waited_s >= TELLING_S or is_over():
                return False
            time.sleep(LOOK_S if is_close else TELLING_LOOK_S)

    def _is_told(self, transaction: Transaction, *, closely: bool) -> bool:
        if not self._markers.are_written(transaction, closely=closely):
            return False
        stable = self._offsets.stable(transaction.offsets) if transaction.offsets else {}
        return stable is not None and all(
            place.offset >= transaction.offsets[partition] for partition, place in stable.items()
        )

    def end(self, producer: Producer, doubtful: Transaction | None = None) -> None:
        """End it by transactions of `producer`, which has none open. Raises KafkaException: try again.

        doubtful: of the same identity, whose commit was asked for, and may have been done in part. It is afterwards
        committed whole, or not at all.
        """
        self._markers.look()
        if doubtful is not None and self._is_committed(doubtful):
            self._complete(producer, doubtful)
        else:
            self._abort_records(producer)
            self._abort_offsets(producer)

    def _is_committed(self, doubtful: Transaction) -> bool:
        self._await(lambda: not self._markers.are_behind_others(doubtful), OTHERS_S)
        if not doubtful.is_committed:
            known = self._offsets.known(doubtful.offsets)
            doubtful.is_committed = any(place.metadata == doubtful.token for place in known.values())
        if not doubtful.is_committed and self._offsets.are_pending(doubtful.offsets):
            # The group was not told; a partition may have been.
            doubtful.is_committed = len(self._markers.missing(doubtful)) < len(doubtful.records)
        return doubtful.is_committed

    def _complete(self, producer: Producer, doubtful: Transaction) -> None:
        missing = self._markers.missing(doubtful)
        if missing:
            self._abort_records(producer)
        known = self._offsets.known(doubtful.offsets)
        # Whoever has the partition by now may have come further.
        offsets = {
            partition: doubtful.offsets[partition]
            for partition, place in known.items()
            if place.offset < doubtful.offsets[partition]
        }
        if not missing and not offsets:
            return
        left = Transaction(missing, offsets, doubtful.token)
        producer.begin_transaction()
        self._publish(producer, missing)
        if offsets:
            self._send(producer, left.positions())
        producer.commit_transaction(ANSWER_S)
        self._await(lambda: self._is_told(left, closely=True), ANSWER_S)

    def _abort_records(self, producer: Producer) -> None:
        """A record goes only to partitions in which some transaction is open; those of other producers, which are open
        all the time, do no harm."""
        places = self._markers.open()
        if not places:
            return
        touching = Transaction([Sent(*place, KEY, VALUE, []) for place in places], {})
        producer.begin_transaction()
        self._publish(producer, touching.records)
        producer.abort_transaction(ANSWER_S)
        self._await(lambda: self._markers.are_written(touching, closely=True), ANSWER_S)

    def _abort_offsets(self, producer: Producer) -> None:
        """One offset, of whatever partition, makes the group part of the transaction."""
        inputs = self._markers.inputs
        if not self._offsets.are_pending(inputs):
            return
        known = [place for place in self._offsets.known(inputs).values() if place.offset >= 0]
        (topic, partition), *_ = inputs
        producer.begin_transaction()
        self._send(producer, known[:1] or [TopicPartition(topic, partition, 0)])
        producer.abort_transaction(ANSWER_S)
        self._await(lambda: not self._offsets.are_pending([(topic, partition)]), ANSWER_S)

    def _publish(self, producer: Producer, records: Iterable[Sent]) -> None:
        for sent in records:
            while True:
                try:
                    producer.produce(sent.topic, sent.value, sent.key, sent.partition, headers=sent.headers)  # type: ignore[arg-type]
                    break
                except BufferError:
                    producer.poll(QUEUE_FULL_POLL_S)
        if producer.flush(ANSWER_S):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the broker does not answer"))

    def _send(self, producer: Producer, positions: list[TopicPartition]) -> None:
        metadata = self._offsets.metadata()
        ended_within(ANSWER_S, lambda: producer.send_offsets_to_transaction(positions, metadata, ANSWER_S))

    def _await(self, condition: Callable[[], bool], within_s: float) -> None:
        until_s = time.monotonic() + within_s
        while not condition():
            if time.monotonic() >= until_s:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the broker ends no transaction"))
            time.sleep(LOOK_S)
