"""An admin client that answers from memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import ClusterMetadata, PartitionMetadata, TopicMetadata


class ConfigValue(NamedTuple):
    value: str


class FakeAdmin:
    """configs: by topic its settings. rejected: topics that cannot be created, with the error's code.

    replicas: by topic, each with one partition, the number of replicas. is_away: whether no broker answers.
    """

    def __init__(self) -> None:
        self.configs: dict[str, dict[str, str]] = {}
        self.rejected: dict[str, int] = {}
        self.replicas: dict[str, int] = {}
        self.is_away = False
        self.created: dict[str, tuple[int, dict[str, str]]] = {}  # by topic: partitions and settings

    def describe_configs(self, resources: Iterable[Any], request_timeout: float) -> dict[Any, Future[Any]]:
        answers = {}
        for resource in resources:
            configs = self.configs.get(resource.name, {})
            answers[resource] = answered({name: ConfigValue(value) for name, value in configs.items()})
        return answers

    def create_topics(self, topics: Sequence[Any], request_timeout: float) -> dict[str, Future[Any]]:
        answers = {}
        for topic in topics:
            if topic.topic in self.rejected:
                answers[topic.topic] = answered(KafkaException(KafkaError(self.rejected[topic.topic])))
            else:
                self.created[topic.topic] = (topic.num_partitions, topic.config)
                self.replicas[topic.topic] = 1
                answers[topic.topic] = answered(None)
        return answers

    def list_topics(self, timeout: float) -> ClusterMetadata:
        if self.is_away:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        cluster = ClusterMetadata()
        cluster.topics = {}
        for name, count in self.replicas.items():
            cluster.topics[name] = topic = TopicMetadata()
            partition = PartitionMetadata()
            partition.replicas = list(range(count))
            topic.partitions = {0: partition}
        return cluster

    def poll(self, timeout: float) -> int:
        return 0


def answered(result: Any) -> Future[Any]:
    """A future that has ended with the result, or with the error."""
    future: Future[Any] = Future()
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
    return future
