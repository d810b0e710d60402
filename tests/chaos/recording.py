"""The input topics of `determinism.py`, and the windows that follow from them."""

from __future__ import annotations

import argparse
import random
from zlib import crc32

from confluent_kafka.admin import NewTopic
from kafka_container import PARTITIONS
from recorded_readings import MEAN, SINGLE, START_S, Window, encode, expected, readings
from testbed import DeliveryTestbed

EACH = {SINGLE: 1, MEAN: 3}  # readings in one step


class Recording:
    """The input topics, and the windows that follow from them."""

    def __init__(self, testbed: DeliveryTestbed, options: argparse.Namespace) -> None:
        self.topics = {kind: f"{kind}-{testbed.tag}" for kind in EACH}
        for topic in self.topics.values():  # the records' timestamps are old
            testbed.create_topics(NewTopic(topic, PARTITIONS, config={"retention.ms": "-1"}))
        self.records = 0
        for kind, topic in self.topics.items():
            for reading in readings(options.steps, options.copies, EACH[kind], random.Random(options.seed)):
                testbed.producer.produce(
                    topic,
                    encode(kind, reading),
                    partition=crc32(reading.series.encode()) % PARTITIONS,
                    timestamp=1000 * (START_S + reading.arrival_s),
                )
                self.records += 1
            testbed.flush()
        self.expected: dict[str, list[tuple[str, Window]]] = {}
        for kind, topic in self.topics.items():
            partitions: dict[int, list[tuple[int, bytes]]] = {}
            for message in testbed.read_all(topic):
                timestamp_s = message.timestamp()[1] // 1000
                partitions.setdefault(message.partition(), []).append((timestamp_s, message.value()))
            for records in partitions.values():
                for series, windows in expected(kind, records).items():
                    self.expected[f"{kind} {series}"] = windows

    @property
    def windows(self) -> int:
        return sum(map(len, self.expected.values()))
