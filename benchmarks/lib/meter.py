"""Reads what a pipeline made of the load: how fast, and whether all of it, once and in order."""

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

from benchmarks.lib.query_consumers import COMMITTED, Askers

STALLED_S = 60.0  # no new forecast for so long: it will not come any more
LOOK_S = 0.1
ANSWER_S = 10.0
READ_WAIT_S = 0.1
# How long nothing more comes before a topic counts as read: with all there, and with some missing.
QUIET_S, MISSING_S = 0.3, 5.0


class WrongForecasts(Exception):
    """Events were lost, doubled or put out of order; the text says how many."""


@dataclass(frozen=True)
class Measured:
    """Of one run. rate: forecasts a second, by the broker's clock, from the first to the last."""

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
    """Counts forecasts, in the order of their partitions, against the events 0 to `events` - 1."""

    def __init__(self, events: int) -> None:
        self._times = bytearray(events)
        self._last: dict[bytes | str | None, int] = {}
        self._first_ms = self._last_ms = 0
        self._disordered = 0
        self.forecasts = 0

    def add(self, message: Message) -> int:
        """Count a forecast; returns its event's number."""
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
    """Follows a topic by its end offsets, and reads it only when all should be there: no CPU taken meanwhile."""

    def __init__(self, servers: str, topic: str, partitions: int) -> None:
        self._places = [(topic, number) for number in range(partitions)]
        self._askers = Askers({"bootstrap.servers": servers}, f"meter-{topic}")

    def length(self, isolation: str = COMMITTED) -> int:
        """How much of the topic is there for readers of that isolation, in offsets.

        A transaction's end takes an offset of each partition too: it may hold somewhat fewer records.
        """
        ends = [TopicPartition(*place, OFFSET_END) for place in self._places]
        try:
            told = self._askers[isolation].offsets_for_times(ends, ANSWER_S)
        except KafkaException:  # a new topic is not known everywhere at once; `wait` says when it is enough
            return 0
        return 0 if any(place.error for place in told) else sum(place.offset for place in told)

    def wait(
        self,
        count: int,
        alive: Callable[[], None],
        isolation: str = COMMITTED,
    ) -> None:
        """Until the topic is `count` offsets long, or does not grow any more.

        alive: raises if the pipeline is gone.
        """
        found, changed_s = 0, time.monotonic()
        while found < count and time.monotonic() - changed_s < STALLED_S:
            alive()
            now = self.length(isolation)
            if now != found:
                found, changed_s = now, time.monotonic()
            time.sleep(LOOK_S)

    def read(self, count: int) -> Iterator[Message]:
        """All records that read-committed readers see, in the order of their partitions.

        Beyond `count` only what comes at once. A poll counts for as long as it may wait: what stops this process
        meanwhile makes nothing come, and nothing of that is missing."""
        consumer = self._askers[COMMITTED]
        consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in self._places])
        found, quiet_s = 0, 0.0
        while quiet_s < (QUIET_S if found >= count else MISSING_S):
            polled_s = time.monotonic()
            fresh = [one for one in consumer.consume(1000, READ_WAIT_S) if one.error() is None]
            quiet_s = 0.0 if fresh else quiet_s + min(time.monotonic() - polled_s, READ_WAIT_S)
            found += len(fresh)
            yield from fresh

    def close(self) -> None:
        self._askers.close()


def header(message: Message, name: str) -> str:
    """The text of a record's header, empty where there is none."""
    headers: Any = message.headers() or ()
    for one, value in headers:
        if one == name:
            return str(value, "utf-8")
    return ""
