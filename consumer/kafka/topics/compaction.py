"""Checks that Kafka compacts the state topic, and does not delete its records by their age."""

from __future__ import annotations

import logging

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from consumer.kafka.errors import error_text
from consumer.kafka.topics.creation import POLICY
from consumer.kafka.topics.limits import ANSWER_S

log = logging.getLogger("fncast.kafka")


def compaction_problem(admin: AdminClient, topic: str) -> str:
    """What is wrong with the topic's clean-up policy, and how to fix it; empty if nothing is, or if it is not known."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    try:
        answer = admin.describe_configs([resource], request_timeout=ANSWER_S)[resource].result()
        policy = str(answer[POLICY].value)
    except (KafkaException, KeyError) as error:
        log.info("the broker does not report whether %s is compacted: %s", topic, error_text(error))
        return ""
    if "compact" in policy:
        return ""
    return (
        f"the topic {topic!r} has {POLICY}={policy}, so Kafka would delete state that is still needed."
        f" Fix it with kafka-configs.sh --alter --entity-type topics --entity-name {topic}"
        f" --add-config {POLICY}=compact"
    )
