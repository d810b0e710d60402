"""What one transaction publishes and is to commit."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from confluent_kafka import TopicPartition

from consumer.lane import Partition
from interceptor.delivery import Record
from interceptor.outcome import Headers


class Sent(NamedTuple):
    """A record that was handed to the client. partition: -1 where its key decides."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def content_of(record: Sent | Record) -> Hashable:
    """By which one that was sent is known again when it is read."""
    return record.topic, record.key, record.value, tuple(record.headers)


@dataclass
class Transaction:
    """token: goes with its offsets, so that they are known again. began_at_s: of the clock that dates records.
    since: where partitions ended before it, as far as that is known. ends: of its partitions, as of after it.
    is_committed: whether it is known to be.
    """

    records: list[Sent]
    offsets: Mapping[Partition, int]
    token: str = ""
    began_at_s: float = 0.0
    since: Mapping[Partition, int] = field(default_factory=dict)
    ends: Mapping[Partition, int] | None = None
    is_committed: bool = False

    @cached_property
    def touched(self) -> frozenset[Partition]:
        """Where its records went; asked once all are there."""
        return frozenset((sent.topic, sent.partition) for sent in self.records)

    def positions(self) -> list[TopicPartition]:
        """Its offsets, for Kafka's client."""
        return [
            TopicPartition(topic, partition, offset, metadata=self.token)
            for (topic, partition), offset in self.offsets.items()
        ]
