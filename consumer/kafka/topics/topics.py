"""The consumer's topics: checked at the start, created where they are missing, watched while it runs.

A dead letter is its record and up to 64 KiB more. If the dead-letter topic allows less, a warning says so at the start.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from consumer.errors import ConsumerError
from consumer.kafka.connection import Connection
from consumer.kafka.errors import create_client
from consumer.kafka.publishers.properties import BATCH_BYTES, BROKER_RECORD_BYTES
from consumer.kafka.topics.compaction import compaction_problem
from consumer.kafka.topics.creation import TopicCreation
from consumer.kafka.topics.limits import ANSWER_S, Sizes, largest_input, read_limits, warn_of_small_outputs
from consumer.kafka.topics.names import TopicNames
from consumer.kafka.topics.replication import warn_of_single_replicas
from consumer.kafka.topics.watch import TopicWatch
from fncast.wording.kafka import describe
from interceptor.dead_letter import MAX_ADDED_BYTES

log = logging.getLogger("fncast.kafka")

EMBEDDED = "mockCluster"  # the start of the cluster id of librdkafka's mock clusters


class Topics:
    """The topics that the consumer reads and writes. Used by the loop's thread.

    problem: why `prepare` returned None. all_exist: if false, call `prepare` again later.
    missing: output topics that `recreate_outputs` has not found. watch: set by `prepare`; None for the embedded broker.
    """

    def __init__(
        self, client_properties: Mapping[str, str], names: TopicNames, *, is_exactly_once: bool = False
    ) -> None:
        """is_exactly_once: whether delivery needs transactions. Raises ConsumerError for wrong client properties."""
        self._servers = client_properties["bootstrap.servers"]
        self._names = names
        self._is_exactly_once = is_exactly_once
        # Errors of connections since the broker last answered. A rejection is one that trying again does not fix.
        self._rejection: KafkaError | None = None
        self._last_error: KafkaError | None = None
        self._is_waiting = False
        self._dead_letter_bytes = BROKER_RECORD_BYTES + MAX_ADDED_BYTES
        self._are_replicas_checked = False
        self.missing: frozenset[str] = frozenset()  # each is named by a warning once
        self._creation = TopicCreation(names)
        self._client_properties = client_properties
        self._connection = Connection(client_properties)
        self._admin = self._create_client()
        self.problem = ""
        self.watch: TopicWatch | None = None

    @property
    def all_exist(self) -> bool:
        """Whether an input topic and all needed output topics existed when `prepare` last looked."""
        return self._creation.all_exist

    def prepare(self) -> Sizes | None:
        """Create missing topics and check limits. Returns None if no broker answers: call again.

        Raises ConsumerError if the broker denies access, or cannot keep the delivery guarantee or the state.
        """
        cluster = self._list_topics()
        if cluster is None:
            return None
        if _is_embedded(cluster):
            self._prepare_embedded()
            return Sizes()
        if self.watch is None:
            self.watch = TopicWatch(lambda: self._admin, self._replace_client, self._names.watched())
        return self._prepare_topics(partition_counts(cluster))

    def _list_topics(self) -> Any | None:
        """What the broker knows about its topics; None, with `problem` set, if no broker answers."""
        try:
            cluster = self._admin.list_topics(timeout=ANSWER_S)
        except KafkaException as error:
            self._admin.poll(0)  # calls _on_error
            self._wait_for_broker(error.args[0])
            return None
        self._rejection = self._last_error = None
        if self._is_waiting:
            log.info("Kafka at %s answers", self._servers)
            self.problem = ""
            self._is_waiting = False
        return cluster

    def _wait_for_broker(self, cause: KafkaError) -> None:
        """Note, and log once, why no broker answers. Raises ConsumerError if it refuses the connection."""
        if self._rejection is not None:
            raise ConsumerError(
                f"Kafka at {self._servers} refuses the connection: {describe(self._rejection)}"
            ) from None
        reason = describe(self._last_error or cause)
        self.problem = f"no Kafka answers at {self._servers} ({reason})"
        if not self._is_waiting:
            log.warning("no Kafka answers at %s; waiting for it (%s)", self._servers, reason)
        self._is_waiting = True
        if self._connection.is_lost(self._admin):
            self._replace_client()

    def _prepare_embedded(self) -> None:
        """Prepare the embedded broker, which creates topics on first use and reports no limits."""
        if self._is_exactly_once:
            raise ConsumerError(
                f"the broker at {self._servers} is the embedded broker, which does not isolate transactions:"
                ' set delivery = "at-least-once" in [kafka] for it'
            )
        log.info("the embedded broker does not isolate transactions: delivery is at least once")
        if self._names.state and not self.all_exist:
            for topic in (self._names.state, *self._names.more_outputs):
                self._admin.list_topics(topic, timeout=ANSWER_S)  # creates it
            log.info(
                "the embedded broker keeps the newest 5 MB of a partition in memory: state beyond that is lost when"
                " a partition is assigned again"
            )
        self._creation.all_exist = True

    def _prepare_topics(self, counts: Mapping[str, int]) -> Sizes:
        """Check and create the topics of a broker. counts: the number of partitions of each topic that exists."""
        names = self._names
        limits = read_limits(self._admin, [name for name in names.watched() if name in counts])
        largest = largest_input(limits, names.inputs)
        self._dead_letter_bytes = largest + MAX_ADDED_BYTES
        if names.state in counts and (problem := compaction_problem(self._admin, names.state)):
            raise ConsumerError(str(problem))
        self._creation.create_missing(self._admin, counts, self._dead_letter_bytes)
        has_input = any(name in counts for name in names.inputs)
        if self._is_exactly_once and has_input and not self._are_replicas_checked:
            has_warned = warn_of_single_replicas(self._admin, names.needed_outputs())
            self._are_replicas_checked = has_warned or self.all_exist
        warn_of_small_outputs(limits, largest, names.output, names.dead_letters)
        written = [limits[name] for name in (names.output, names.dead_letters) if name in limits]
        return Sizes(self._dead_letter_bytes, min([BATCH_BYTES, *written]))

    def recreate_outputs(self) -> None:
        """Create output topics that were deleted. Call it when results cannot be published."""
        try:
            cluster = self._admin.list_topics(timeout=ANSWER_S)
        except KafkaException:
            return
        counts = partition_counts(cluster, without_errors=True)
        missing = [name for name in self._names.needed_outputs() if name not in counts]
        if _is_embedded(cluster) or not missing or not cluster.topics:
            self.missing = frozenset()
            return
        for name in missing:
            if name not in self.missing:
                log.warning("the topic %s is missing: results wait until it exists again", name)
        self.missing = frozenset(missing)
        self._creation.create_missing(self._admin, counts, self._dead_letter_bytes)

    def sizes_of_inputs(self) -> Sizes:
        """The sizes for publishing to the input topics, for a replay. Call it once a broker answers."""
        limits = read_limits(self._admin, self._names.inputs).values()
        return Sizes(max([BROKER_RECORD_BYTES, *limits]), min([BATCH_BYTES, *limits]))

    def _create_client(self) -> AdminClient:
        properties = {"log_level": 2, **self._client_properties, "error_cb": self._on_error}
        return create_client(AdminClient, properties, logger=log)

    def _replace_client(self) -> None:
        self._admin = self._create_client()

    def _on_error(self, error: KafkaError) -> None:
        self._connection.on_error(error)
        if error.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL):
            self._rejection = error
        elif error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last_error = error


def partition_counts(cluster: Any, *, without_errors: bool = False) -> dict[str, int]:
    """The number of partitions of each topic. cluster: the driver's ClusterMetadata.

    without_errors: leave out topics with an error.
    """
    return {
        name: len(topic.partitions)
        for name, topic in cluster.topics.items()
        if not without_errors or topic.error is None
    }


def _is_embedded(cluster: Any) -> bool:
    return (cluster.cluster_id or "").startswith(EMBEDDED)
