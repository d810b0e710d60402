"""The events of a benchmark: windows of a web shop, of many series."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from confluent_kafka import Producer

from fncast.produce.events import record, window_event
from fncast.produce.shop import Shop
from fncast.produce.windows import SlidingWindow

WINDOW = 48
# Different windows of 48 readings; fewer of longer windows. Creating more would take longer than processing them.
DISTINCT = 20_000
SOURCE = "fncast/benchmark"
LINGER_MS = 5  # with less, the broker gets a request for each event
PACE_S = (
    0.002  # at a given rate, the time between two groups of events: a sleep for each event costs too much
)

Headers = list[tuple[str, str | bytes | None]]
Record = tuple[str | bytes | None, bytes | None, Headers]  # key, value, headers


@dataclass(frozen=True)
class Load:
    """`events` windows of `values` readings each, taken from `series` series alternately.

    The id of an event is its number."""

    events: int
    series: int = 50
    values: int = WINDOW

    def records(self) -> Iterator[Record]:
        """The records in the order of their ids, the same in each call. Windows repeat, ids do not."""
        distinct = max(DISTINCT * WINDOW // self.values, self.series)
        windows = list(islice(self._windows(), min(self.events, distinct)))
        for number in range(self.events):
            key, value, headers = windows[number % len(windows)]
            yield key, value, [("ce_id", b"%09d" % number), *headers]

    def _windows(self) -> Iterator[Record]:
        """Records without an id."""
        shop = Shop(datetime(2026, 1, 5, tzinfo=UTC))
        windows = [SlidingWindow(self.values) for _ in range(self.series)]
        tick = 0
        while True:
            [reading] = shop.read(tick)
            tick += 1
            for key, sliding in enumerate(windows):
                window = sliding.add(reading)
                if window is None:
                    continue
                event = window_event(window, source=SOURCE, destination="forecast")
                attributes = event.get_attributes()
                attributes["partitionkey"] = attributes["subject"] = f"shop-{key}"
                message = record(event)
                headers = [pair for pair in message.headers.items() if pair[0] != "ce_id"]
                yield message.key, message.value, list(headers)


def publish(servers: str, topic: str, records: Iterable[Record], per_s: float | None = None) -> float:
    """Publish records in order and wait until the broker has acknowledged all of them.

    per_s: records a second; None for as fast as possible. Returns the seconds that it took."""
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "enable.idempotence": True,
            "linger.ms": LINGER_MS,
            "partitioner": "murmur2",
            "log_level": 0,
        }
    )
    step = max(1, int(per_s * PACE_S)) if per_s is not None else 1000
    started_s = time.monotonic()
    for number, (key, value, headers) in enumerate(records):
        if number % step == 0:
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
        raise RuntimeError("the broker did not acknowledge the load")
    return time.monotonic() - started_s
