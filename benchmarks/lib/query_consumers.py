"""Consumers that query offsets and never join their group: one for each isolation level, created when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer

COMMITTED, UNCOMMITTED = "read_committed", "read_uncommitted"
# A client with these properties counts as a member of the group, and the broker rejects its queries.
MEMBER_PROPERTIES = ("group.protocol", "group.remote.assignor", "group.instance.id")


class QueryConsumers:
    """Used by one thread, which calls `close`."""

    def __init__(self, properties: Mapping[str, Any], group_id: str) -> None:
        kept = {name: value for name, value in properties.items() if name not in MEMBER_PROPERTIES}
        self._properties = {"log_level": 0, **kept, "group.id": group_id, "enable.auto.commit": False}
        self._consumers: dict[str, Consumer] = {}

    def __getitem__(self, isolation: str) -> Consumer:
        if isolation not in self._consumers:
            self._consumers[isolation] = self._create(isolation)
        return self._consumers[isolation]

    def _create(self, isolation: str) -> Consumer:
        return Consumer({**self._properties, "isolation.level": isolation})

    def close(self) -> None:
        for consumer in self._consumers.values():
            consumer.close()
        self._consumers.clear()
