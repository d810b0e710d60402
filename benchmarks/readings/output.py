"""Reads the forecasts of a run: when each was appended, and which window it is for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from benchmarks.lib.broker import PARTITIONS
from fncast.demo.process import ProcessFailed


@dataclass(frozen=True)
class AppendedForecast:
    """A record of the output topic. cause: the id of its window, `SERIES@END`. appended_s: by the broker's clock."""

    partition: int
    offset: int
    cause: str
    appended_s: float


class ForecastReader:
    """Follows the output topic with read_committed. Used by one thread at a time; `close` ends it."""

    def __init__(self, servers: str, topic: str) -> None:
        self._reader = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": f"output-{topic}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "log_level": 0,
            }
        )
        self._reader.assign(
            [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)]
        )

    def read(self, within_s: float) -> list[AppendedForecast]:
        """Return the forecasts that arrive within this time."""
        found: list[AppendedForecast] = []
        end_s = time.monotonic() + within_s
        while (left_s := end_s - time.monotonic()) > 0:
            for each in self._reader.consume(1000, min(left_s, 0.1)):
                if each.error() is None:
                    cause = dict(each.headers() or ()).get("ce_causationid") or b""
                    text = cause.decode() if isinstance(cause, bytes) else cause
                    at_s = each.timestamp()[1] / 1000
                    found.append(AppendedForecast(each.partition() or 0, each.offset() or 0, text, at_s))
        return found

    def wait(self, count: int, within_s: float, check: Callable[[], None]) -> list[AppendedForecast]:
        """Return at least `count` new forecasts. Raises ProcessFailed after `within_s`, and what `check` raises."""
        found: list[AppendedForecast] = []
        end_s = time.monotonic() + within_s
        while len(found) < count:
            check()
            found += self.read(0.2)
            if time.monotonic() > end_s and len(found) < count:
                raise ProcessFailed(f"{len(found)} of {count} forecasts arrived within {within_s:g} s")
        return found

    def close(self) -> None:
        self._reader.close()
