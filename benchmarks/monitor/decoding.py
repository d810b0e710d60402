"""A loop that reads the monitor's topics and only decodes their JSON: the least that a reading costs."""

from __future__ import annotations

import time

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from benchmarks.lib.broker import PARTITIONS
from benchmarks.readings.rates import Rate
from fncast.demo.process import ProcessFailed

BATCH, POLL_S = 1_000, 1.0
STALLED_S = 30.0


def decode(servers: str, topics: tuple[str, str], readings: int) -> Rate:
    """Decode all records of both topics, two for each reading. Raises ProcessFailed if they cannot be read."""
    settings = {"bootstrap.servers": servers, "group.id": f"decode-{topics[0]}", "enable.auto.commit": False}
    reader = Consumer({**settings, "log_level": 0})
    reader.assign(
        [
            TopicPartition(topic, partition, OFFSET_BEGINNING)
            for topic in topics
            for partition in range(PARTITIONS)
        ]
    )
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    last_s, count = began_s, 0
    try:
        while count < 2 * readings:
            batch = [each for each in reader.consume(BATCH, POLL_S) if each.error() is None]
            now_s = time.monotonic()
            if not batch and now_s > last_s + STALLED_S:
                raise ProcessFailed(
                    f"{count} of {2 * readings} records were read, then none for {STALLED_S:g} s"
                )
            if batch:
                last_s = now_s
            for each in batch:
                orjson.loads(each.value() or b"")
            count += len(batch)
        taken_s, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    finally:
        reader.close()
    return Rate(readings, readings / taken_s, {"loop": cpu_s * 1e6 / readings}, 0)
