"""Creates the topics that the consumer writes to."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from consumer.kafka.errors import error_text
from consumer.kafka.topics.limits import ANSWER_S, MAX_BYTES
from consumer.kafka.topics.names import TopicNames

log = logging.getLogger("fncast.kafka")

BROKER_DEFAULT = -1  # the broker's default.replication.factor
POLICY = "cleanup.policy"
# Kafka compacts closed segments only. With the defaults of 1 GB and 7 days a restore would read all of that.
STATE_CONFIG = {POLICY: "compact", "segment.bytes": str(32 * 1024 * 1024), "segment.ms": "600000"}


class TopicCreation:
    """Used by the loop's thread. all_exist: whether an input and all needed outputs existed at the last look."""

    def __init__(self, names: TopicNames) -> None:
        self._names = names
        self._not_created: set[str] = set()  # that a warning has named
        self.all_exist = False

    def create_missing(self, admin: AdminClient, counts: Mapping[str, int], record_bytes: int) -> None:
        """Create missing topics with as many partitions as the input, so that a result keeps its record's partition.

        counts: the number of partitions of each topic that exists. record_bytes: the largest possible dead letter.
        """
        names = self._names
        partitions = max((counts.get(name, 0) for name in names.inputs), default=0)
        wanted = {names.output: partitions, names.dead_letters: partitions, names.outages: 1}
        wanted |= dict.fromkeys((names.state, *names.more_outputs), partitions)
        missing = [name for name in wanted if name and name not in counts]
        self.all_exist = bool(partitions) and not set(names.needed_outputs()) & set(missing)
        if not partitions or not missing:
            return
        configs = {names.dead_letters: {MAX_BYTES: str(record_bytes)}, names.state: STATE_CONFIG}
        new = [
            NewTopic(
                name,
                num_partitions=wanted[name],
                replication_factor=BROKER_DEFAULT,
                config=configs.get(name, {}),
            )
            for name in missing
        ]
        for name, done in admin.create_topics(new, request_timeout=ANSWER_S).items():
            try:
                done.result()
                log.info("created the topic %s with %d partitions", name, wanted[name])
                self._not_created.discard(name)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS and name not in self._not_created:
                    self._not_created.add(name)
                    log.warning("the topic %s is missing and cannot be created: %s", name, error_text(error))
