"""The topics of the consumer, looked at when it starts: those it writes to are made where they are missing.

A dead letter is its record and up to 64 KiB more, and must fit: where the dead letters' topic allows less, that is
said at once and not when it is too late.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from consumer.errors import ConsumerError
from consumer.kafka.base_producer import BATCH_BYTES, BROKER_RECORD_BYTES
from consumer.kafka.connection import Connection
from consumer.kafka.errors import create_client, error_text
from consumer.kafka.replication import warn_of_single_replicas
from consumer.kafka.topic_watch import TopicWatch
from fncast.wording.kafka import words
from interceptor.dead_letter import MAX_ADDED_BYTES

log = logging.getLogger("fncast.kafka")

ANSWER_S = 1.0  # one try; unreachable brokers are asked again
BROKER_DEFAULT = -1  # replication: what the broker is set to
SIZE = "max.message.bytes"
EMBEDDED = "mockCluster"  # so begin librdkafka's names of mock clusters


@dataclass(frozen=True)
class Sizes:
    """record_bytes: the largest dead letter that there can be. batch_bytes: what every topic written to takes."""

    record_bytes: int = BROKER_RECORD_BYTES + MAX_ADDED_BYTES
    batch_bytes: int = BATCH_BYTES


class Topics:
    def __init__(
        self,
        client_properties: Mapping[str, str],
        input_topics: Sequence[str],
        output_topic: str,
        dead_letter_topic: str,
        outage_topic: str = "",
        *,
        is_exactly_once: bool = False,
    ) -> None:
        self._servers = client_properties["bootstrap.servers"]
        self._inputs = list(input_topics)
        self._output = output_topic
        self._dead_letters = dead_letter_topic
        self._outages = outage_topic
        self._is_exactly_once = is_exactly_once
        self._refusal: KafkaError | None = None
        self._is_waiting = False
        self.problem = ""  # why `prepare` returned None
        self._needed = BROKER_RECORD_BYTES + MAX_ADDED_BYTES
        self._are_replicas_checked = False
        self._missing: set[str] = set()  # as far as it was said
        self._unmade: set[str] = set()  # likewise of those that cannot be created
        self.are_there = False  # where not, `prepare` is worth another call once there is an input topic
        self._client_properties = client_properties
        self._connection = Connection(client_properties)
        self._admin = self._create_client()
        self.watch: TopicWatch | None = (
            None  # from `prepare` on; none for the embedded broker, which tells nothing
        )

    def _create_client(self) -> AdminClient:
        properties = {"log_level": 2, **self._client_properties, "error_cb": self._on_error}
        return create_client(AdminClient, properties, logger=log)

    def _renew(self) -> None:
        self._admin = self._create_client()

    def _on_error(self, error: KafkaError) -> None:
        self._connection.on_error(error)
        if error.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL):
            self._refusal = error

    def prepare(self) -> Sizes | None:
        """See that all is in place; None where no broker answers: call again. Raises ConsumerError if refused."""
        try:
            cluster = self._admin.list_topics(timeout=ANSWER_S)
        except KafkaException as error:
            self._admin.poll(0)
            if self._refusal is not None:
                raise ConsumerError(
                    f"Kafka at {self._servers} refuses the connection: {words(self._refusal)}"
                ) from None
            self.problem = f"no Kafka answers at {self._servers} ({error_text(error)})"
            if not self._is_waiting:
                log.warning("no Kafka answers at %s; waiting for it (%s)", self._servers, error_text(error))
            self._is_waiting = True
            if self._connection.is_lost(self._admin):
                self._renew()
            return None
        if self._is_waiting:
            log.info("Kafka at %s answers", self._servers)
            self.problem = ""
            self._is_waiting = False
        if (cluster.cluster_id or "").startswith(
            EMBEDDED
        ):  # it makes topics on first use, and tells no limits
            if self._is_exactly_once:
                raise ConsumerError(
                    f"the broker at {self._servers} is the embedded one, which isolates no transactions:"
                    ' set delivery = "at-least-once" in [kafka] for it'
                )
            log.info("the embedded broker isolates no transactions: delivery is at least once")
            self.are_there = True
            return Sizes()
        if self.watch is None:
            self.watch = TopicWatch(lambda: self._admin, self._renew, self._all())
        counts = {name: len(topic.partitions) for name, topic in cluster.topics.items()}
        limits = self._limits([name for name in self._all() if name in counts])
        largest = max((limits.get(name, BROKER_RECORD_BYTES) for name in self._inputs), default=0)
        self._needed = needed = largest + MAX_ADDED_BYTES
        self._make_missing(counts, needed)
        if self._is_exactly_once and not self._are_replicas_checked:
            self._are_replicas_checked = True
            warn_of_single_replicas(self._admin, (self._output, self._dead_letters))
        consequence = f"a dead letter may have {needed}: a larger one would stop the consumer"
        self._check_size(limits, self._dead_letters, needed, consequence)
        consequence = f"the input takes {largest}: a forecast that is larger becomes a dead letter"
        self._check_size(limits, self._output, largest, consequence)
        written = [limits[name] for name in (self._output, self._dead_letters) if name in limits]
        return Sizes(needed, min([BATCH_BYTES, *written]))

    def _check_size(self, limits: Mapping[str, int], topic: str, needed: int, consequence: str) -> None:
        """Warn where a topic takes smaller records than may be written to it."""
        allowed = limits.get(topic)
        if allowed is not None and allowed < needed:
            log.warning(
                "%s takes records of %d bytes, but %s."
                " Mend it with kafka-configs.sh --alter --entity-type topics --entity-name %s --add-config %s=%d",
                topic,
                allowed,
                consequence,
                topic,
                SIZE,
                needed,
            )

    def restore(self) -> None:
        """Create those that are missing again: results do not get through. Says so."""
        try:
            cluster = self._admin.list_topics(timeout=ANSWER_S)
        except KafkaException:
            return
        counts = {
            name: len(topic.partitions) for name, topic in cluster.topics.items() if topic.error is None
        }
        missing = [name for name in (self._output, self._dead_letters) if name not in counts]
        is_embedded = (cluster.cluster_id or "").startswith(EMBEDDED)
        if is_embedded or not missing or not cluster.topics:
            self._missing.clear()
            return
        for name in missing:
            if name not in self._missing:
                log.warning("the topic %s is missing: results wait until it is there again", name)
        self._missing.update(missing)
        self._make_missing(counts, self._needed)

    def sizes_of_inputs(self) -> Sizes:
        """What publishing to the input topics may need and must keep to: for a replay, once a broker answers."""
        limits = self._limits(self._inputs).values()
        return Sizes(max([BROKER_RECORD_BYTES, *limits]), min([BATCH_BYTES, *limits]))

    def _all(self) -> list[str]:
        return [*self._inputs, self._output, self._dead_letters]

    def _limits(self, topics: Sequence[str]) -> dict[str, int]:
        """max.message.bytes of each topic that tells it."""
        if not topics:
            return {}
        asked = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
        try:
            answers: dict[ConfigResource, Future[Any]] = self._admin.describe_configs(
                asked, request_timeout=ANSWER_S
            )
            return {resource.name: int(answer.result()[SIZE].value) for resource, answer in answers.items()}
        except (KafkaException, KeyError, ValueError, TypeError) as error:
            log.info("the topics' limits are not told, the usual ones are assumed: %s", error_text(error))
            return {}

    def _make_missing(self, counts: Mapping[str, int], record_bytes: int) -> None:
        """As many partitions as the input has, so that a record keeps its partition's number."""
        partitions = max((counts.get(name, 0) for name in self._inputs), default=0)
        wanted = {self._output: partitions, self._dead_letters: partitions, self._outages: 1}
        missing = [name for name in wanted if name and name not in counts]
        self.are_there = bool(partitions) and not {self._output, self._dead_letters} & set(missing)
        if not partitions or not missing:
            return
        new = [
            NewTopic(
                name,
                num_partitions=wanted[name],
                replication_factor=BROKER_DEFAULT,
                config={SIZE: str(record_bytes)} if name == self._dead_letters else {},
            )
            for name in missing
        ]
        for name, done in self._admin.create_topics(new, request_timeout=ANSWER_S).items():
            try:
                done.result()
                log.info("made the topic %s, partitions: %d", name, wanted[name])
                self._unmade.discard(name)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS and name not in self._unmade:
                    self._unmade.add(name)
                    log.warning("the topic %s is not there and cannot be made: %s", name, error_text(error))
