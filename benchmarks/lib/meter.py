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

from benchmarks.lib.failure import MeasurementFailed
from benchmarks.lib.query_consumers import COMMITTED, QueryConsumers

STALLED_S = 60.0  # without a new forecast for this long, no more will come
POLL_EVERY_S = 0.1
ANSWER_S = 10.0
READ_WAIT_S = 0.1
# A topic counts as read to its end once it was quiet for this long: after all records, and while some are missing.
QUIET_S, MISSING_S = 0.3, 5.0


class WrongForecasts(MeasurementFailed):
    """Events were lost, doubled or put out of order. The text says how many."""


@dataclass(frozen=True)
class RunResult:
    """The result of one run. rate: forecasts a second from the first to the last, by the broker's clock.

    disordered: forecasts of an event that come after the forecast of a later event with the same key.
    """

    events: int
    forecasts: int
    rate: float
    lost: int
    doubled: int
    disordered: int

    @property
    def is_complete(self) -> bool:
        """Whether each event has one forecast."""
        return not (self.lost or self.doubled)

    def check(self) -> None:
        """Raise WrongForecasts if events were lost, doubled or put out of order."""
        if self.disordered or not self.is_complete:
            raise WrongForecasts(
                f"of {self.events} events {self.lost} lost, {self.doubled} doubled, {self.disordered} out of order"
            )


class Tally:
    """Counts the forecasts of the events 0 to `events` - 1. Add those of a partition in the order of their offsets."""

    def __init__(self, events: int) -> None:
        self._counts = bytearray(events)  # forecasts of each event; 255 means 255 or more
        self._last_event: dict[bytes | str | None, int] = {}  # by the key of the forecast
        self._first_ms = self._last_ms = 0
        self._disordered = 0
        self.forecasts = 0

    def add(self, message: Message) -> int:
        """Count a forecast. Returns its event's number."""
        event = int(header(message, "ce_causationid"))
        key, appended_ms = message.key(), message.timestamp()[1]
        self._counts[event] = min(self._counts[event] + 1, 255)
        last = self._last_event.get(key, -1)
        self._disordered += event < last
        self._last_event[key] = max(event, last)
        self._first_ms = min(self._first_ms, appended_ms) if self.forecasts else appended_ms
        self._last_ms = max(self._last_ms, appended_ms)
        self.forecasts += 1
        return event

    def add_all(self, messages: Iterable[Message]) -> None:
        """Count the forecasts."""
        for message in messages:
            self.add(message)

    def result(self) -> RunResult:
        """Return the result of the forecasts that were added. Its rate is NaN if they span no time."""
        elapsed_s = (self._last_ms - self._first_ms) / 1000
        lost = self._counts.count(0)
        return RunResult(
            events=len(self._counts),
            forecasts=self.forecasts,
            rate=(self.forecasts - 1) / elapsed_s if elapsed_s > 0 else float("nan"),
            lost=lost,
            doubled=self.forecasts - (len(self._counts) - lost),
            disordered=self._disordered,
        )


class Meter:
    """Follows a topic by its end offsets. Reads it only at the end, so that it uses no CPU during the measurement."""

    def __init__(self, servers: str, topic: str, partitions: int) -> None:
        self._partitions = [(topic, number) for number in range(partitions)]
        self._consumers = QueryConsumers(servers, f"meter-{topic}")

    def length(self, isolation: str = COMMITTED) -> int:
        """Return the number of offsets that readers of that isolation level can read; 0 if it is unknown.

        The markers of transactions count, so the topic may hold fewer records.
        """
        ends = [TopicPartition(*partition, OFFSET_END) for partition in self._partitions]
        try:
            offsets = self._consumers[isolation].offsets_for_times(ends, ANSWER_S)
        except KafkaException:  # a new topic is not known everywhere at once
            return 0
        return 0 if any(each.error for each in offsets) else sum(each.offset for each in offsets)

    def wait(
        self,
        count: int,
        check: Callable[[], None],
        isolation: str = COMMITTED,
    ) -> None:
        """Wait until the topic has `count` offsets, or is unchanged for STALLED_S. check: raises if a process ended."""
        length, changed_s = 0, time.monotonic()
        while length < count and time.monotonic() - changed_s < STALLED_S:
            check()
            now = self.length(isolation)
            if now != length:
                length, changed_s = now, time.monotonic()
            time.sleep(POLL_EVERY_S)

    def read(self, count: int) -> Iterator[Message]:
        """Yield all records that read-committed readers see, in the order of their partitions.

        After `count` records the topic must be quiet for QUIET_S, before that for MISSING_S. A poll counts for at most
        its timeout, so that a pause of this process is not taken for silence.
        """
        consumer = self._consumers[COMMITTED]
        consumer.assign([TopicPartition(*partition, OFFSET_BEGINNING) for partition in self._partitions])
        records, quiet_s = 0, 0.0
        while quiet_s < (QUIET_S if records >= count else MISSING_S):
            polled_s = time.monotonic()
            messages = [each for each in consumer.consume(1000, READ_WAIT_S) if each.error() is None]
            quiet_s = 0.0 if messages else quiet_s + min(time.monotonic() - polled_s, READ_WAIT_S)
            records += len(messages)
            yield from messages

    def close(self) -> None:
        self._consumers.close()


def header(message: Message, name: str) -> str:
    """Return the text of a record's header; empty if it is missing."""
    headers: Any = message.headers() or ()
    for header_name, value in headers:
        if header_name == name:
            return str(value, "utf-8")
    return ""
