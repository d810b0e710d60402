"""The parts of a loop that several of its other parts share."""

from __future__ import annotations

from dataclasses import dataclass

from consumer.dead_letter_watch import DeadLetterWatch
from consumer.kafka.publishers.publisher import Publisher
from consumer.kafka.source.source import KafkaSource
from consumer.kafka.topics.topics import Topics
from consumer.publishing.result_publisher import ResultPublisher
from consumer.state.partition_states import PartitionStates


@dataclass(frozen=True)
class LoopParts:
    """Built by `assembly.py`, and used by the loop's thread only.

    source: reads records and commits offsets. publisher: publishes records. topics: the topics that exist.
    results: turns settled deliveries into published records. dead_letters: counts them and pauses topics.
    states: restores and writes the interceptors' state.
    """

    source: KafkaSource
    publisher: Publisher
    topics: Topics
    results: ResultPublisher
    dead_letters: DeadLetterWatch
    states: PartitionStates
