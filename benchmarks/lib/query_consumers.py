"""Consumers that send queries and never join their group: one for each isolation level, created on first use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer

COMMITTED, UNCOMMITTED = "read_committed", "read_uncommitted"
# A client with these properties counts as a member of its group; the broker refuses its queries.
MEMBER_PROPERTIES = ("group.protocol", "group.remote.assignor", "group.instance.id")


class QueryConsumers:
    """Owns one consumer for each isolation level. Not safe for use by several threads."""

    def __init__(self, properties: Mapping[str, Any], group_id: str) -> None:
        kept = {name: value for name, value in properties.items() if name not in MEMBER_PROPERTIES}
        self._properties = {"log_level": 0, **kept, "group.id": group_id, "enable.auto.commit": False}
        self._consumers: dict[str, Consumer] = {}

    def __getitem__(self, isolation: str) -> Consumer:
        """The consumer for `isolation`: COMMITTED or UNCOMMITTED."""
        if isolation not in self._consumers:
            self._consumers[isolation] = Consumer({**self._properties, "isolation.level": isolation})
        return self._consumers[isolation]

    def close(self) -> None:
        """Close all consumers."""
        for consumer in self._consumers.values():
            consumer.close()
        self._consumers.clear()
