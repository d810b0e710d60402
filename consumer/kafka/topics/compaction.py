"""Checks that Kafka compacts the state topic. Without compaction it would only delete records by their age."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from consumer.kafka.errors import error_text
from consumer.kafka.topics.creation import POLICY
from consumer.kafka.topics.limits import ANSWER_S

log = logging.getLogger("fncast.kafka")


@dataclass(frozen=True)
class CompactionProblem:
    """What is wrong with a topic's clean-up policy, and the command that fixes it."""

    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.reason}. Fix it with {self.fix}"


def compaction_problem(admin: AdminClient, topic: str) -> CompactionProblem | None:
    """What is wrong with the topic's clean-up policy; None if nothing is, or if the broker does not report it."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    try:
        answer = admin.describe_configs([resource], request_timeout=ANSWER_S)[resource].result()
        policy = str(answer[POLICY].value)
    except (KafkaException, KeyError) as error:
        log.info("the broker does not report whether %s is compacted: %s", topic, error_text(error))
        return None
    if "compact" in policy:
        return None
    return CompactionProblem(
        f"the topic {topic!r} has {POLICY}={policy}, so Kafka would delete state that is still needed",
        f"kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config {POLICY}=compact",
    )
