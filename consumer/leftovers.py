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
from collections.abc import Callable, Iterable, Mapping

from confluent_kafka import KafkaError, KafkaException, Producer

from consumer.call import ended_within
from consumer.kafka_source import topic_partitions
from consumer.lane import Partition
from consumer.markers import ANSWER_S, Markers
from consumer.transaction import Sent, Transaction

# The aborted record is seen by readers of uncommitted records alone.
KEY, VALUE = b"fncast: aborted", b""
QUEUE_FULL_POLL_S = 0.1
STEP_S = 0.02
TELLING_S = 5.0  # some milliseconds, usually
TELLING_STEP_S = 0.001
CLOSELY_S = 0.25  # then it may be others that hide it
LATE_S = 3.0
# Another producer's open transaction hides how one of this producer ended until it has timed out, or its producer is
# back: 10 s, and as long as the broker takes to look.
OTHERS_S = 25.0


class Leftovers:
    def __init__(self, markers: Markers) -> None:
        self._markers = markers

    @property
    def topics(self) -> tuple[str, ...]:
        """Which it looks at."""
        return self._markers.output_topics

    @property
    def may_be_made(self) -> bool:
        """Whether the broker may leave something open of what it has said to be committed."""
        return self._markers.may_be_left_out

    def transaction(
        self, records: list[Sent], offsets: Mapping[Partition, int], began_at_s: float
    ) -> Transaction:
        """One of which it may have to be found out how it ended."""
        return Transaction(records, dict(offsets), began_at_s, dict(self._markers.ends))

    def are_none(self, transaction: Transaction, check_patience: Callable[[str], None]) -> bool:
        """Whether nothing is left open of one that is committed, once the broker has had time to write its markers.

        Raises what `check_patience` raises, which is called again and again.
        """
        if not self.may_be_made:
            return True
        began_s = time.monotonic()
        while True:
            waited_s = time.monotonic() - began_s
            with contextlib.suppress(KafkaException):
                if self._markers.are_written(transaction, closely=waited_s >= CLOSELY_S):
                    return True
            if waited_s >= TELLING_S:
                return False
            check_patience("the broker has not told the partitions that a transaction is committed")
            time.sleep(TELLING_STEP_S)

    def end(self, producer: Producer, doubtful: Transaction | None = None) -> None:
        """End it by transactions of `producer`, which has none open. Raises KafkaException: try again.

        doubtful: of the same identity, whose commit was asked for, and may have been done in part. It is afterwards
        committed whole, or not at all.
        """
        self._markers.look()
        missing = None
        if doubtful is not None:
            self._await(lambda: not self._markers.are_behind_others(doubtful), OTHERS_S)
            missing = self._markers.missing(doubtful)
        if doubtful is None or missing is None:
            self._abort(producer)
        else:
            doubtful.is_committed = True
            self._complete(producer, doubtful, missing)

    def _abort(self, producer: Producer) -> None:
        self._abort_records(producer)
        if self._markers.are_offsets_pending():
            producer.begin_transaction()
            # One offset, of whatever partition, makes the group part of the transaction.
            self._send_offsets(producer, {self._markers.inputs[0]: 0})
            producer.abort_transaction(ANSWER_S)

    def _abort_records(self, producer: Producer) -> None:
        """A record goes only to partitions in which some transaction is open; those of other producers, which are open
        all the time, do no harm."""
        places = self._markers.open()
        if not places:
            return
        records = [Sent(*place, KEY, VALUE, []) for place in places]
        producer.begin_transaction()
        self._publish(producer, records)
        producer.abort_transaction(ANSWER_S)
        self._await_told(Transaction(records, {}, time.time()))

    def _complete(self, producer: Producer, transaction: Transaction, missing: list[Sent]) -> None:
        if missing:
            self._abort_records(producer)
        committed = self._markers.committed(transaction.offsets) or {}
        # Whoever has the partition by now may have come further.
        offsets = {
            partition: offset
            for partition, offset in transaction.offsets.items()
            if committed.get(partition, -1) < offset
        }
        if not missing and not offsets:
            return
        producer.begin_transaction()
        self._publish(producer, missing)
        self._send_offsets(producer, offsets)
        producer.commit_transaction(ANSWER_S)
        self._await_told(Transaction(missing, offsets, time.time()))

    def _await_told(self, transaction: Transaction) -> None:
        self._await(lambda: self._markers.are_written(transaction, closely=True), ANSWER_S)

    def _await(self, condition: Callable[[], bool], within_s: float) -> None:
        until_s = time.monotonic() + within_s
        while not condition():
            if time.monotonic() >= until_s:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the broker ends no transaction"))
            time.sleep(STEP_S)

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

    def _send_offsets(self, producer: Producer, offsets: Mapping[Partition, int]) -> None:
        if offsets:
            positions, metadata = topic_partitions(offsets), self._markers.metadata()
            ended_within(
                ANSWER_S + LATE_S,
                lambda: producer.send_offsets_to_transaction(positions, metadata, ANSWER_S),
            )
