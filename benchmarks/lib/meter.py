"""Reads the forecasts of a pipeline: their rate, and whether each event has one forecast, in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    KafkaException,
    Message,
    TopicPartition,
)

from benchmarks.lib.query_consumers import COMMITTED, QueryConsumers

STALLED_S = 60.0  # without a new forecast for this long, no more will come
LOOK_S = 0.1
ANSWER_S = 10.0
READ_WAIT_S = 0.1
# How long a topic stays quiet before it counts as read: with all records, and with some missing.
QUIET_S, MISSING_S = 0.3, 5.0


class WrongForecasts(Exception):
    """Events were lost, doubled or put out of order. The text says how many."""


@dataclass(frozen=True)
class Measured:
    """The result of one run. rate: forecasts a second from the first to the last, by the broker's clock."""

    events: int
    forecasts: int
    rate: float
    lost: int
    doubled: int
    disordered: int

    @property
    def is_complete(self) -> bool:
        """Each event has one forecast."""
        return not (self.lost or self.doubled)


class Tally:
    """Counts the forecasts of the events 0 to `events` - 1. Add them in the order of their partitions."""

    def __init__(self, events: int) -> None:
        self._times = bytearray(events)
        self._last: dict[bytes | str | None, int] = {}
        self._first_ms = self._last_ms = 0
        self._disordered = 0
        self.forecasts = 0

    def add(self, message: Message) -> int:
        """Count a forecast. Returns its event's number."""
        cause = int(header(message, "ce_causationid"))
        key, stamp_ms = message.key(), message.timestamp()[1]
        self._times[cause] = min(self._times[cause] + 1, 255)
        last = self._last.get(key, -1)
        self._disordered += cause < last
        self._last[key] = max(cause, last)
        self._first_ms = min(self._first_ms, stamp_ms) if self.forecasts else stamp_ms
        self._last_ms = max(self._last_ms, stamp_ms)
        self.forecasts += 1
        return cause

    def add_all(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.add(message)

    def measured(self) -> Measured:
        elapsed_s = (self._last_ms - self._first_ms) / 1000
        lost = self._times.count(0)
        return Measured(
            events=len(self._times),
            forecasts=self.forecasts,
            rate=(self.forecasts - 1) / elapsed_s if elapsed_s > 0 else float("nan"),
            lost=lost,
            doubled=self.forecasts - (len(self._times) - lost),
            disordered=self._disordered,
        )


class Meter:
    """Follows a topic by its end offsets. Reads it only at the end, so that it uses no CPU during the measurement."""

    def __init__(self, servers: str, topic: str, partitions: int) -> None:
        self._partitions = [(topic, number) for number in range(partitions)]
        self._consumers = QueryConsumers({"bootstrap.servers": servers}, f"meter-{topic}")

    def length(self, isolation: str = COMMITTED) -> int:
        """Return the number of offsets that readers of that isolation level can read; 0 if it is unknown.

        The markers of transactions count, so the topic may hold fewer records.
        """
        ends = [TopicPartition(*partition, OFFSET_END) for partition in self._partitions]
        try:
            found = self._consumers[isolation].offsets_for_times(ends, ANSWER_S)
        except KafkaException:  # a new topic is not known everywhere at once
            return 0
        return 0 if any(each.error for each in found) else sum(each.offset for each in found)

    def wait(
        self,
        count: int,
        alive: Callable[[], None],
        isolation: str = COMMITTED,
    ) -> None:
        """Wait until the topic has `count` offsets, or is unchanged for STALLED_S. alive: raises if a process ended."""
        found, changed_s = 0, time.monotonic()
        while found < count and time.monotonic() - changed_s < STALLED_S:
            alive()
            now = self.length(isolation)
            if now != found:
                found, changed_s = now, time.monotonic()
            time.sleep(LOOK_S)

    def read(self, count: int) -> Iterator[Message]:
        """Yield all records that read-committed readers see, in the order of their partitions.

        After `count` records the topic must be quiet for QUIET_S, before that for MISSING_S. A poll counts for at most
        its timeout, so that a pause of this process is not taken for silence.
        """
        consumer = self._consumers[COMMITTED]
        consumer.assign([TopicPartition(*partition, OFFSET_BEGINNING) for partition in self._partitions])
        found, quiet_s = 0, 0.0
        while quiet_s < (QUIET_S if found >= count else MISSING_S):
            polled_s = time.monotonic()
            fresh = [message for message in consumer.consume(1000, READ_WAIT_S) if message.error() is None]
            quiet_s = 0.0 if fresh else quiet_s + min(time.monotonic() - polled_s, READ_WAIT_S)
            found += len(fresh)
            yield from fresh

    def close(self) -> None:
        self._consumers.close()


def header(message: Message, name: str) -> str:
    """Return the text of a record's header; empty if it is missing."""
    headers: Any = message.headers() or ()
    for header_name, value in headers:
        if header_name == name:
            return str(value, "utf-8")
    return ""
