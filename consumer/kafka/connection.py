"""Whether a client of Kafka still finds its cluster.

librdkafka may lose its way for good (seen of 2.16, behind 2 of 9 restarts of a sole node). A node that begins
to stop tells of a cluster without brokers. The client takes its last one off its list, and the same answer calls off
what would have it begin anew from bootstrap.servers; from then on it asks nobody. A new client finds the way.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

# A client that finds its way back has done so, and by then the group has let its member go, and the broker its
# transaction.
DOWN_S = 15.0
LOOK_S = 5.0
ANSWER_S = 1.0


class Client(Protocol):
    def list_topics(self, *, timeout: float) -> Any: ...


class Connection:
    """Of one client at a time, whose `error_cb` tells it what befalls the client."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        """properties: those by which a client reaches the cluster."""
        self._properties = {"log_level": 0, **properties}
        self._look_at_s = float("inf")

    def on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._look_at_s == float("inf"):
            self._look_at_s = time.monotonic() + DOWN_S

    def is_lost(self, client: Client) -> bool:
        """Whether somebody else reaches the cluster, and this client does not: its owner replaces it then. Asks only
        once all brokers have been down for a while, then for up to two seconds."""
        if time.monotonic() < self._look_at_s:
            return False
        is_deaf = not answers(client)
        if is_deaf and not answers(AdminClient(self._properties)):
            self._look_at_s = time.monotonic() + LOOK_S
            return False
        self._look_at_s = float("inf")
        return is_deaf


def answers(client: Client) -> bool:
    """Whether the cluster answers this client."""
    try:
        client.list_topics(timeout=ANSWER_S)
    except KafkaException:
        return False
    return True
