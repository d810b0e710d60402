"""The sizes of records that topics allow: Kafka's setting `max.message.bytes`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from consumer.kafka.errors import error_text
from consumer.kafka.publishers.properties import BATCH_BYTES, BROKER_RECORD_BYTES, MAX_RECORD_BYTES
from interceptor.dead_letter import MAX_ADDED_BYTES

log = logging.getLogger("fncast.kafka")

ANSWER_S = 1.0  # for one attempt of a request about topics
MAX_BYTES = "max.message.bytes"


@dataclass(frozen=True)
class Sizes:
    """record_bytes: the largest possible dead letter. batch_bytes: the largest batch that all output topics accept."""

    record_bytes: int = BROKER_RECORD_BYTES + MAX_ADDED_BYTES
    batch_bytes: int = BATCH_BYTES


def read_limits(admin: AdminClient, topics: Sequence[str]) -> dict[str, int]:
    """The largest batch in bytes that each topic accepts; empty if the broker does not report it."""
    if not topics:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
    try:
        answers: dict[ConfigResource, Future[Any]] = admin.describe_configs(
            resources, request_timeout=ANSWER_S
        )
        return {resource.name: int(answer.result()[MAX_BYTES].value) for resource, answer in answers.items()}
    except (KafkaException, KeyError, ValueError, TypeError) as error:
        log.info(
            "the broker does not report the topics' limits; assuming the defaults: %s",
            error_text(error),
        )
        return {}


def largest_input(limits: Mapping[str, int], inputs: Sequence[str]) -> int:
    """The bytes of the largest record that an input topic may hold. Kafka's default counts where no limit is known.

    A larger limit counts as the one with which a client can still publish the dead letter.
    """
    largest = max((limits.get(name, BROKER_RECORD_BYTES) for name in inputs), default=0)
    return min(largest, MAX_RECORD_BYTES - MAX_ADDED_BYTES)


def warn_of_small_outputs(limits: Mapping[str, int], largest: int, output: str, dead_letters: str) -> None:
    """Log a warning for each output topic that allows smaller records than may be written to it.

    largest: bytes of the largest record of the inputs.
    """
    needed = largest + MAX_ADDED_BYTES
    _warn_if_smaller(
        limits,
        dead_letters,
        needed,
        f"a dead letter may have {needed}, and one that does not fit stops the consumer",
    )
    _warn_if_smaller(
        limits,
        output,
        largest,
        f"the input topics allow {largest}, and a forecast that does not fit becomes a dead letter",
    )


def _warn_if_smaller(limits: Mapping[str, int], topic: str, needed: int, consequence: str) -> None:
    allowed = limits.get(topic)
    if allowed is not None and allowed < needed:
        log.warning(
            "the topic %s allows records of %d bytes, but %s."
            " Fix it with kafka-configs.sh --alter --entity-type topics --entity-name %s --add-config %s=%d",
            topic,
            allowed,
            consequence,
            topic,
            MAX_BYTES,
            needed,
        )
