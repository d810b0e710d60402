"""The settings of [kafka]: the cluster, the group and the topics."""

from __future__ import annotations

import socket
from typing import Any, Literal

import msgspec

from consumer.settings.source import flatten
from consumer.settings.values import MAX_NUMBER, check_topic_name

# fncast sets these properties itself: the delivery guarantee depends on them.
RESERVED_PROPERTIES = frozenset(
    {
        "acks",
        "auto.commit.enable",
        "auto.offset.reset",
        "default.topic.config",  # a table of properties
        "delivery.timeout.ms",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.idempotence",
        "enable.gapless.guarantee",
        "isolation.level",
        "max.in.flight",
        "max.in.flight.requests.per.connection",
        "message.send.max.retries",
        "message.timeout.ms",
        "offset.store.method",
        "request.required.acks",
        "retries",
        "transactional.id",
        "transaction.timeout.ms",
    }
)
# By property, the setting in [kafka] for it.
SETTING_OF = {
    "bootstrap.servers": "bootstrap_servers",
    "metadata.broker.list": "bootstrap_servers",
    "group.id": "group_id",
    "partitioner": "partitioner",
}


class KafkaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Kafka cluster, the group and the topics.

    client: any librdkafka properties, for consumer and producer. static_membership: the group knows this consumer by
    its `instance_name`, and returns its partitions at once after a crash. outage_topic: gets an event while a route is
    out; empty for none. pause_after_refused: how many records, from the first of a topic, must be rejected for one kind
    of reason until the topic is paused; 0 for never. state_topic: for snapshots of interceptors' state.
    """

    bootstrap_servers: str = "localhost:9092"
    group_id: str = "fncast"
    instance: str = ""
    static_membership: bool = False
    input_topics: tuple[str, ...] = ("metrics",)
    output_topic: str = "forecasts"
    dead_letter_topic: str = "dead-letters"
    outage_topic: str = "outages"
    state_topic: str = "fncast-state"
    delivery: Literal["exactly-once", "at-least-once"] = "exactly-once"
    partitioner: str = "murmur2_random"
    pause_after_refused: int = 1000
    client: dict[str, Any] = {}

    def __post_init__(self) -> None:
        for name in ("bootstrap_servers", "group_id", "output_topic", "dead_letter_topic", "state_topic"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty")
        if "@" in self.bootstrap_servers:  # not shown: it may hold a password
            raise ValueError(
                "bootstrap_servers has a login. Write HOST:PORT, and set sasl.username and sasl.password in"
                " [kafka.client]"
            )
        if not 0 <= self.pause_after_refused < MAX_NUMBER:
            raise ValueError(f"pause_after_refused must be at least 0, and below {MAX_NUMBER:,}")
        if not self.input_topics or not all(self.input_topics):
            raise ValueError("input_topics names no topic")
        if len(set(self.input_topics)) < len(self.input_topics):
            raise ValueError("input_topics names a topic twice")
        self._check_names()
        written = [topic for topic in self.written_topics() if topic]
        for topic in written:
            if topic in self.input_topics:
                raise ValueError(
                    f"{topic!r} is an input and an output topic: fncast would read its own results"
                )
        if len(set(written)) < len(written):
            raise ValueError(
                "output_topic, dead_letter_topic, outage_topic and state_topic must be different topics"
            )
        for name in flatten(self.client):
            if setting := SETTING_OF.get(name):
                raise ValueError(f"client.{name} cannot be set: set {setting} in [kafka] instead")
            if name in RESERVED_PROPERTIES:
                raise ValueError(f"client.{name} cannot be set: fncast sets it for the delivery guarantee")

    def written_topics(self) -> tuple[str, str, str, str]:
        """The topics that the consumer writes to; the outage topic may be empty."""
        return self.output_topic, self.dead_letter_topic, self.outage_topic, self.state_topic

    def _check_names(self) -> None:
        """Check the topics' names here: a broker rejects a wrong name only at the first record."""
        names = [("input_topics", topic) for topic in self.input_topics]
        names += [
            (name, getattr(self, name)) for name in ("output_topic", "dead_letter_topic", "state_topic")
        ]
        if self.outage_topic:
            names.append(("outage_topic", self.outage_topic))
        for name, topic in names:
            check_topic_name(name, topic)

    def __repr__(self) -> str:
        """Without the values of `client`, which may hold a password."""
        return f"KafkaSettings({self.bootstrap_servers!r}, {self.group_id!r}, client={sorted(flatten(self.client))})"

    def client_properties(self) -> dict[str, str]:
        """librdkafka properties that every client of this broker needs: addresses and security."""
        return {"bootstrap.servers": self.bootstrap_servers, **flatten(self.client)}

    def instance_name(self) -> str:
        """The name of this replica, the same after a restart: the host name unless `instance` is set."""
        return self.instance or socket.gethostname()
