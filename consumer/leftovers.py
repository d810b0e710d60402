"""What an earlier producer of the same identity left open: ended, as aborted, before anything new is published.

A producer that begins transactions has what its predecessor left open aborted by the broker (KIP-98). A Kafka that was
restarted was seen to end such a transaction without telling the partitions (4.3.0 as the only node: "Couldn't find
leader endpoint … these partitions are likely deleted already"). The records stay open in their partitions then, and the
next transaction of the same identity commits them with its own: forecasts come twice. Likewise stay the offsets, and
nobody is told where the group reads on. An aborted transaction that touches the same partitions ends both.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

ANSWER_S = 5.0
# The aborted record is seen by readers of uncommitted records alone.
KEY, VALUE = b"fncast: aborted", b""


class Leftovers:
    """What may be left open on the output topics, and of the group's offsets."""

    def __init__(
        self, properties: Mapping[str, str], group_id: str, input_topic: str, output_topics: Sequence[str]
    ) -> None:
        self._properties: dict[str, Any] = {"log_level": 0, **properties}
        self._group_id = group_id
        self._input = TopicPartition(input_topic, 0, 0)
        self._topics = tuple(output_topics)

    def end(self, producer: Producer) -> None:
        """Abort it, by a transaction of `producer`, which has none open. Raises KafkaException.

        Records are published only to partitions in which some transaction is open; those of other producers, which
        are open all the time, do no harm.
        """
        places = self._open(producer)
        producer.begin_transaction()
        for place in places:
            producer.produce(place.topic, VALUE, KEY, place.partition)
        if producer.flush(ANSWER_S):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the broker does not answer"))
        # Whether it takes them or not: the group's offsets are part of the transaction now.
        with contextlib.suppress(KafkaException):
            producer.send_offsets_to_transaction([self._input], self._metadata(), ANSWER_S)
        producer.abort_transaction(ANSWER_S)

    def _open(self, producer: Producer) -> list[TopicPartition]:
        """The partitions whose last stable offset lags behind their end."""
        admin = AdminClient(self._properties)
        places = [
            TopicPartition(topic, partition)
            for topic in self._topics
            for partition in producer.list_topics(topic, ANSWER_S).topics[topic].partitions
        ]
        if not places:
            return []
        latest = {place: OffsetSpec.latest() for place in places}  # type: ignore[no-untyped-call]
        stable, end = (
            {place: told.result().offset for place, told in admin.list_offsets(latest, **asked).items()}
            for asked in (
                {"isolation_level": isolation, "request_timeout": ANSWER_S}
                for isolation in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)
            )
        )
        return [place for place in places if stable[place] < end[place]]

    def _metadata(self) -> Any:
        """Of somebody who is no member of the group: the broker takes offsets in a transaction of such a one."""
        consumer = Consumer({**self._properties, "group.id": self._group_id})
        try:
            return consumer.consumer_group_metadata()
        finally:
            consumer.close()
