"""A sample of a topic's records, as read from a broker."""

from __future__ import annotations

from dataclasses import dataclass

from interceptor.delivery import Record


@dataclass(frozen=True)
class Sample:
    """The newest records of a topic, in the order of partition and offset.

    partitions: of the topic. total: records in the topic, by its offsets. is_cut: reading stopped at the limit of time
    or bytes. is_embedded: the broker is fncast's embedded broker.
    """

    topic: str
    partitions: int
    total: int
    records: list[Record]
    is_cut: bool = False
    is_embedded: bool = False

    @property
    def has_keys(self) -> bool:
        """Whether the producer keys its records, so that each series can have one partition."""
        return all(record.key is not None for record in self.records)
