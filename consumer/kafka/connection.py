"""Detects a Kafka client that has lost its cluster for good.

A node that shuts down can report a cluster without brokers. librdkafka then removes its last broker, and the same
response cancels the return to bootstrap.servers. From then on the client asks no broker. A new client connects.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

# How long all brokers must be down before a check. A client that can reconnect has done so after this time. The group
# has then removed its member, and its transaction has timed out.
DOWN_S = 15.0
LOOK_S = 5.0  # between two checks while the cluster does not answer
ANSWER_S = 1.0


class ListingClient(Protocol):
    """The part of a Kafka client that shows whether the cluster answers."""

    def list_topics(self, *, timeout: float) -> Any:
        """Return the topics of the cluster. timeout: in seconds. Raises KafkaException."""


class Connection:
    """Tracks one client's connectivity, fed by its `error_cb`."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        """properties: addresses and security, to connect with a second client."""
        self._properties = {"log_level": 0, **properties}
        self._look_at_s = float("inf")

    def on_error(self, error: KafkaError) -> None:
        """Note an error of the client: its `error_cb`."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._look_at_s == float("inf"):
            self._look_at_s = time.monotonic() + DOWN_S

    def is_lost(self, client: ListingClient) -> bool:
        """Whether a second client reaches the cluster and this one does not; then the owner replaces it.

        Checks only after all brokers have been down for a while; then it takes up to two seconds.
        """
        if time.monotonic() < self._look_at_s:
            return False
        has_no_answer = not answers(client)
        if has_no_answer and not answers(AdminClient(self._properties)):
            self._look_at_s = time.monotonic() + LOOK_S
            return False
        self._look_at_s = float("inf")
        return has_no_answer


def answers(client: ListingClient) -> bool:
    """Whether the cluster answers this client in time."""
    try:
        client.list_topics(timeout=ANSWER_S)
    except KafkaException:
        return False
    return True
