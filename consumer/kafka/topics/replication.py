"""Warns if topics that exactly-once delivery depends on have a single replica."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

log = logging.getLogger("fncast.kafka")

ANSWER_S = 1.0
# Kafka stores the group's offsets and the transactions in these topics.
INTERNAL = ("__consumer_offsets", "__transaction_state")


def warn_of_single_replicas(admin: AdminClient, topics: Iterable[str]) -> bool:
    """Log one warning that names the topics with a single replica, Kafka's own included.

    Returns whether there are any.
    """
    try:
        known = admin.list_topics(timeout=ANSWER_S).topics
    except KafkaException:
        return False
    single = [
        name
        for name in (*topics, *INTERNAL)
        if name in known
        and any(len(partition.replicas) == 1 for partition in known[name].partitions.values())
    ]
    if single:
        log.warning(
            "exactly-once does not survive a broker that stops between a commit and its markers (KAFKA-20734)"
            " where topics have one replica: %s. Use three replicas (see docs/delivery.md)",
            ", ".join(single),
        )
    return bool(single)
