"""The events of a benchmark: windows of a web shop under many keys."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from cloudevents.core.bindings.kafka import KafkaMessage
from confluent_kafka import Producer

from source.events import record, window_event
from source.shop import Shop
from source.windows import SlidingWindow

KEYS = 50
WINDOW = 48
SOURCE = "fncast/benchmark"
LINGER_MS = 5  # a loader with less makes the broker work for each event


def records(count: int) -> list[KafkaMessage]:
    """`count` events; the id of each begins with its place in the order of all."""
    return list(islice(_records(), count))


def _records() -> Iterator[KafkaMessage]:
    shop = Shop(datetime(2026, 1, 5, tzinfo=UTC))
    windows = [SlidingWindow(WINDOW) for _ in range(KEYS)]
    number = tick = 0
    while True:
        [reading] = shop.read(tick)
        tick += 1
        for key, sliding in enumerate(windows):
            window = sliding.add(reading)
            if window is None:
                continue
            event = window_event(window, source=SOURCE, destination="forecast")
            event.get_attributes()["id"] = f"{number:09}"
            event.get_attributes()["partitionkey"] = event.get_attributes()["subject"] = f"shop-{key}"
            yield record(event)
            number += 1


def publish(servers: str, topic: str, events: list[KafkaMessage], per_s: float | None = None) -> None:
    """Publish in order, all acknowledged when it returns. per_s: spread evenly over time."""
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "enable.idempotence": True,
            "linger.ms": LINGER_MS,
            "partitioner": "murmur2",
            "log_level": 0,
        }
    )
    started_s = time.monotonic()
    for number, event in enumerate(events):
        if per_s is not None and (ahead_s := number / per_s - (time.monotonic() - started_s)) > 0:
            producer.poll(0)
            time.sleep(ahead_s)
        headers: list[tuple[str, str | bytes | None]] = list(event.headers.items())
        while True:
            try:
                producer.produce(topic, event.value, event.key, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(60):
        raise RuntimeError("the broker did not acknowledge the load")
