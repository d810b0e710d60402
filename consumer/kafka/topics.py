"""Checks the consumer's topics at the start, and creates the topics that it writes to.

A dead letter is its record and up to 64 KiB more. If the dead-letter topic allows less, a warning says so at the start.
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
from fncast.wording.kafka import describe
from interceptor.dead_letter import MAX_ADDED_BYTES

log = logging.getLogger("fncast.kafka")

ANSWER_S = 1.0  # for one attempt
BROKER_DEFAULT = -1  # the broker's default.replication.factor
SIZE = "max.message.bytes"
POLICY = "cleanup.policy"
# Kafka compacts closed segments only. With the defaults of 1 GB and 7 days a restore would read all of that.
STATE_CONFIG = {POLICY: "compact", "segment.bytes": str(32 * 1024 * 1024), "segment.ms": "600000"}
EMBEDDED = "mockCluster"  # the start of the cluster id of librdkafka's mock clusters


@dataclass(frozen=True)
class Sizes:
    """record_bytes: the largest possible dead letter. batch_bytes: the largest batch that all output topics accept."""

    record_bytes: int = BROKER_RECORD_BYTES + MAX_ADDED_BYTES
    batch_bytes: int = BATCH_BYTES


class Topics:
    """The topics that the consumer reads and writes. Used by the loop's thread.

    problem: why `prepare` returned None. all_exist: whether all topics exist; if not, call `prepare` again later.
    watch: set by `prepare`; None for the embedded broker.
    """

    def __init__(
        self,
        client_properties: Mapping[str, str],
        input_topics: Sequence[str],
        output_topic: str,
        dead_letter_topic: str,
        outage_topic: str = "",
        state_topic: str = "",
        *,
        more_outputs: Sequence[str] = (),
        is_exactly_once: bool = False,
    ) -> None:
        """outage_topic, state_topic: empty for none. more_outputs: topics that interceptors' events name."""
        self._servers = client_properties["bootstrap.servers"]
        self._inputs = list(input_topics)
        self._output = output_topic
        self._dead_letters = dead_letter_topic
        self._outages = outage_topic
        self._state = state_topic
        self._more_outputs = tuple(more_outputs)
        self._is_exactly_once = is_exactly_once
        self._refusal: KafkaError | None = None
        self._last_error: KafkaError | None = None  # of a connection
        self._is_waiting = False
        self.problem = ""
        self._needed = BROKER_RECORD_BYTES + MAX_ADDED_BYTES
        self._are_replicas_checked = False
        self._missing: set[str] = set()  # that a warning has named
        self._not_created: set[str] = set()  # that a warning has named
        self.all_exist = False
        self._client_properties = client_properties
        self._connection = Connection(client_properties)
        self._admin = self._create_client()
        self.watch: TopicWatch | None = None

    def _create_client(self) -> AdminClient:
        properties = {"log_level": 2, **self._client_properties, "error_cb": self._on_error}
        return create_client(AdminClient, properties, logger=log)

    def _replace_client(self) -> None:
        self._admin = self._create_client()

    def _on_error(self, error: KafkaError) -> None:
        self._connection.on_error(error)
        if error.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL):
            self._refusal = error
        elif error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last_error = error

    def prepare(self) -> Sizes | None:
        """Create missing topics and check limits. Returns None if no broker answers: call again.

        Raises ConsumerError if the broker denies access.
        """
        try:
            cluster = self._admin.list_topics(timeout=ANSWER_S)
        except KafkaException as error:
            self._admin.poll(0)
            if self._refusal is not None:
                raise ConsumerError(
                    f"Kafka at {self._servers} refuses the connection: {describe(self._refusal)}"
                ) from None
            reason = describe(self._last_error or error.args[0])
            self.problem = f"no Kafka answers at {self._servers} ({reason})"
            if not self._is_waiting:
                log.warning("no Kafka answers at %s; waiting for it (%s)", self._servers, reason)
            self._is_waiting = True
            if self._connection.is_lost(self._admin):
                self._replace_client()
            return None
        if self._is_waiting:
            log.info("Kafka at %s answers", self._servers)
            self.problem = ""
            self._is_waiting = False
        if (cluster.cluster_id or "").startswith(EMBEDDED):  # creates topics on first use, reports no limits
            if self._is_exactly_once:
                raise ConsumerError(
                    f"the broker at {self._servers} is the embedded broker, which does not isolate transactions:"
                    ' set delivery = "at-least-once" in [kafka] for it'
                )
            log.info("the embedded broker does not isolate transactions: delivery is at least once")
            if self._state and not self.all_exist:
                for topic in (self._state, *self._more_outputs):
                    self._admin.list_topics(topic, timeout=ANSWER_S)  # creates it
                log.info(
                    "the embedded broker keeps the newest 5 MB of a partition in memory: state beyond that is lost when"
                    " a partition is assigned again"
                )
            self.all_exist = True
            return Sizes()
        if self.watch is None:
            self.watch = TopicWatch(lambda: self._admin, self._replace_client, self._all())
        counts = {name: len(topic.partitions) for name, topic in cluster.topics.items()}
        limits = self._limits([name for name in self._all() if name in counts])
        largest = max((limits.get(name, BROKER_RECORD_BYTES) for name in self._inputs), default=0)
        self._needed = needed = largest + MAX_ADDED_BYTES
        if self._state in counts:
            self._check_compaction()
        self._create_missing(counts, needed)
        if self._is_exactly_once and not self._are_replicas_checked:
            self._are_replicas_checked = True
            warn_of_single_replicas(self._admin, self._written())
        consequence = f"a dead letter may have {needed}, and one that does not fit stops the consumer"
        self._check_size(limits, self._dead_letters, needed, consequence)
        consequence = (
            f"the input topics allow {largest}, and a forecast that does not fit becomes a dead letter"
        )
        self._check_size(limits, self._output, largest, consequence)
        written = [limits[name] for name in (self._output, self._dead_letters) if name in limits]
        return Sizes(needed, min([BATCH_BYTES, *written]))

    def _check_size(self, limits: Mapping[str, int], topic: str, needed: int, consequence: str) -> None:
        """Warn if a topic allows smaller records than may be written to it."""
        allowed = limits.get(topic)
        if allowed is not None and allowed < needed:
            log.warning(
                "the topic %s allows records of %d bytes, but %s."
                " Fix it with kafka-configs.sh --alter --entity-type topics --entity-name %s --add-config %s=%d",
                topic,
                allowed,
                consequence,
                topic,
                SIZE,
                needed,
            )

    def _check_compaction(self) -> None:
        """Raise ConsumerError if Kafka would delete state by its age."""
        resource = ConfigResource(ResourceType.TOPIC, self._state)
        try:
            answer = self._admin.describe_configs([resource], request_timeout=ANSWER_S)[resource].result()
            policy = str(answer[POLICY].value)
        except (KafkaException, KeyError) as error:
            log.info("the broker does not report whether %s is compacted: %s", self._state, error_text(error))
            return
        if "compact" not in policy:
            raise ConsumerError(
                f"the topic {self._state!r} has {POLICY}={policy}, so Kafka would delete state that is still needed."
                f" Fix it with kafka-configs.sh --alter --entity-type topics --entity-name {self._state}"
                f" --add-config {POLICY}=compact"
            )

    def restore(self) -> None:
        """Create output topics that were deleted. Call it when results cannot be published."""
        try:
            cluster = self._admin.list_topics(timeout=ANSWER_S)
        except KafkaException:
            return
        counts = {
            name: len(topic.partitions) for name, topic in cluster.topics.items() if topic.error is None
        }
        missing = [name for name in self._written() if name not in counts]
        is_embedded = (cluster.cluster_id or "").startswith(EMBEDDED)
        if is_embedded or not missing or not cluster.topics:
            self._missing.clear()
            return
        for name in missing:
            if name not in self._missing:
                log.warning("the topic %s is missing: results wait until it exists again", name)
        self._missing.update(missing)
        self._create_missing(counts, self._needed)

    def sizes_of_inputs(self) -> Sizes:
        """The sizes for publishing to the input topics, for a replay. Call it once a broker answers."""
        limits = self._limits(self._inputs).values()
        return Sizes(max([BROKER_RECORD_BYTES, *limits]), min([BATCH_BYTES, *limits]))

    def _all(self) -> list[str]:
        return list(dict.fromkeys((*self._inputs, *self._written())))

    def _written(self) -> list[str]:
        """The topics that results and state need."""
        return [name for name in (self._output, *self._more_outputs, self._dead_letters, self._state) if name]

    def _limits(self, topics: Sequence[str]) -> dict[str, int]:
        """max.message.bytes by topic, where the broker reports it."""
        if not topics:
            return {}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
        try:
            answers: dict[ConfigResource, Future[Any]] = self._admin.describe_configs(
                resources, request_timeout=ANSWER_S
            )
            return {resource.name: int(answer.result()[SIZE].value) for resource, answer in answers.items()}
        except (KafkaException, KeyError, ValueError, TypeError) as error:
            log.info(
                "the broker does not report the topics' limits; assuming the defaults: %s",
                error_text(error),
            )
            return {}

    def _create_missing(self, counts: Mapping[str, int], record_bytes: int) -> None:
        """Create missing topics with as many partitions as the input, so that a result keeps its record's partition."""
        partitions = max((counts.get(name, 0) for name in self._inputs), default=0)
        wanted = {self._output: partitions, self._dead_letters: partitions, self._outages: 1}
        wanted |= dict.fromkeys((self._state, *self._more_outputs), partitions)
        missing = [name for name in wanted if name and name not in counts]
        self.all_exist = bool(partitions) and not set(self._written()) & set(missing)
        if not partitions or not missing:
            return
        configs = {self._dead_letters: {SIZE: str(record_bytes)}, self._state: STATE_CONFIG}
        new = [
            NewTopic(
                name,
                num_partitions=wanted[name],
                replication_factor=BROKER_DEFAULT,
                config=configs.get(name, {}),
            )
            for name in missing
        ]
        for name, done in self._admin.create_topics(new, request_timeout=ANSWER_S).items():
            try:
                done.result()
                log.info("created the topic %s with %d partitions", name, wanted[name])
                self._not_created.discard(name)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS and name not in self._not_created:
                    self._not_created.add(name)
                    log.warning("the topic %s is missing and cannot be created: %s", name, error_text(error))
