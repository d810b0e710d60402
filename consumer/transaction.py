"""What one transaction publishes and is to commit."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

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

    @property
    def content(self) -> Hashable:
        """By which it is known again when it is read; see `content_of`."""
        return self.topic, self.key, self.value, tuple(self.headers)


def content_of(record: Record) -> Hashable:
    return record.topic, record.key, record.value, tuple(record.headers)


@dataclass
class Transaction:
    """began_at_s: of the clock that dates records. since: where partitions ended before it, as far as that is known.
    ends: of its partitions, as of after its commit. is_committed: once something of it was seen to be."""

    records: list[Sent]
    offsets: Mapping[Partition, int]
    began_at_s: float
    since: Mapping[Partition, int] = field(default_factory=dict)
    ends: Mapping[Partition, int] | None = None
    is_committed: bool = False
