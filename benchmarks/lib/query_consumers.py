"""Consumers that never join their group: they only ask. One for each isolation level, made when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer

COMMITTED, UNCOMMITTED = "read_committed", "read_uncommitted"
# A client with these is taken for a member, and what is no member's is refused from it.
MEMBERS = ("group.protocol", "group.remote.assignor", "group.instance.id")


class Askers:
    def __init__(self, properties: Mapping[str, Any], group_id: str) -> None:
        kept = {name: value for name, value in properties.items() if name not in MEMBERS}
        self._properties = {"log_level": 0, **kept, "group.id": group_id, "enable.auto.commit": False}
        self._made: dict[str, Consumer] = {}

    def __getitem__(self, isolation: str) -> Consumer:
        if isolation not in self._made:
            self._made[isolation] = self.another(isolation, {})
        return self._made[isolation]

    def another(self, isolation: str, properties: Mapping[str, Any]) -> Consumer:
        """One more, of whoever asks for it."""
        return Consumer({**self._properties, **properties, "isolation.level": isolation})

    def close(self) -> None:
        for one in self._made.values():
            one.close()
        self._made.clear()

    def renew(self) -> None:
        """The next who asks gets a new one, which has learnt nothing wrong and finds its way (see `connection.py`)."""
        self._made.clear()
