"""Consumers that query offsets and read without joining a group: one for each isolation level."""

from __future__ import annotations

from confluent_kafka import Consumer

COMMITTED, UNCOMMITTED = "read_committed", "read_uncommitted"


class QueryConsumers:
    """Creates a consumer when its isolation level is first used. Used by one thread, which calls `close`."""

    def __init__(self, servers: str, group_id: str) -> None:
        self._properties = {
            "bootstrap.servers": servers,
            "group.id": group_id,
            "enable.auto.commit": False,
            "log_level": 0,
        }
        self._consumers: dict[str, Consumer] = {}

    def __getitem__(self, isolation: str) -> Consumer:
        if isolation not in self._consumers:
            self._consumers[isolation] = Consumer({**self._properties, "isolation.level": isolation})
        return self._consumers[isolation]

    def close(self) -> None:
        for consumer in self._consumers.values():
            consumer.close()
        self._consumers.clear()
