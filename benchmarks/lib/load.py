"""The events of a benchmark: windows of a generated web shop, for many series."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from confluent_kafka import Producer

from fncast.produce.events import build_window_event, to_kafka_record
from fncast.produce.shop import ShopFeed
from fncast.produce.windows import SlidingWindow

WINDOW = 48
# The number of different windows of WINDOW readings; fewer for longer windows. More would take longer to create than to
# process.
DISTINCT_WINDOWS = 20_000
SOURCE = "fncast/benchmark"
LINGER_MS = 5  # shorter, and the broker would get a request for each event
# At a rate, events are sent in groups of this duration: a pause for each event would cost more than sending it.
GROUP_S = 0.002

Headers = list[tuple[str, str | bytes | None]]
Record = tuple[str | bytes | None, bytes | None, Headers]  # key, value, headers


@dataclass(frozen=True)
class Load:
    """`events` windows of `values` readings each, for `series` series in turn. An event's id is its number."""

    events: int
    series: int = 50
    values: int = WINDOW

    def records(self) -> Iterator[Record]:
        """Yield the records in the order of their ids, the same in each call. Windows recur, ids do not."""
        distinct = max(DISTINCT_WINDOWS * WINDOW // self.values, self.series)
        windows = list(islice(self._windows(), min(self.events, distinct)))
        for number in range(self.events):
            key, value, headers = windows[number % len(windows)]
            yield key, value, [("ce_id", b"%09d" % number), *headers]

    def _windows(self) -> Iterator[Record]:
        """Yield records without an id."""
        shop = ShopFeed(datetime(2026, 1, 5, tzinfo=UTC))
        windows = [SlidingWindow(self.values) for _ in range(self.series)]
        tick = 0
        while True:
            [reading] = shop.read(tick)
            tick += 1
            for number, sliding in enumerate(windows):
                window = sliding.add(reading)
                if window is None:
                    continue
                event = build_window_event(window, source=SOURCE, destination="forecast")
                attributes = event.get_attributes()
                attributes["partitionkey"] = attributes["subject"] = f"shop-{number}"
                record = to_kafka_record(event)
                headers = [pair for pair in record.headers.items() if pair[0] != "ce_id"]
                yield record.key, record.value, list(headers)


def publish(servers: str, topic: str, records: Iterable[Record], per_s: float | None = None) -> float:
    """Publish in order, and wait until all are acknowledged. Returns the seconds taken.

    per_s: records a second, spread evenly; None for as fast as possible.
    """
    return publish_to_topics(servers, ((topic, record) for record in records), per_s)


def publish_to_topics(
    servers: str, records: Iterable[tuple[str, Record]], per_s: float | None = None
) -> float:
    """Publish records with their topics, as `publish` does."""
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "enable.idempotence": True,
            "linger.ms": LINGER_MS,
            "partitioner": "murmur2",
            "log_level": 0,
        }
    )
    group = max(1, int(per_s * GROUP_S)) if per_s is not None else 1000
    started_s = time.monotonic()
    for number, (topic, (key, value, headers)) in enumerate(records):
        if number % group == 0:
            producer.poll(0)
            if per_s is not None and (ahead_s := number / per_s - (time.monotonic() - started_s)) > 0:
                time.sleep(ahead_s)
        while True:
            try:
                producer.produce(topic, value, key, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(60):
        raise RuntimeError("the broker did not acknowledge the load within 60 s")
    return time.monotonic() - started_s
