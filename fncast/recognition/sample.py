"""A sample of a topic's records, as read from a broker."""

from __future__ import annotations

from dataclasses import dataclass

from fncast.foreign_text import clean
from interceptor.delivery import Record

MAX_TOPIC_CHARACTERS = 249  # Kafka's limit for the name of a topic


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


def clean_topic(name: str) -> str:
    """The name of a topic, cleaned for a message."""
    return clean(name, MAX_TOPIC_CHARACTERS)
