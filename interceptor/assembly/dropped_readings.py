"""Logs readings that were dropped because of their times, so that a wrong clock is noticed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

from fncast.foreign_text import clean
from interceptor.assembly.series_window import FUTURE, MAX_BEHIND, TOO_OLD, SeriesWindow
from interceptor.assembly.window import time_text
from interceptor.readings.times import MAX_TIME_NS

log = logging.getLogger("fncast.assemble")

LOG_S = 600.0  # between two lines about a topic
_NS_PER_MS = 1_000_000


class DroppedReading(NamedTuple):
    """A reading that was dropped because of its time. Later readings of its series may change its window.

    series: its name. outcome: TOO_OLD or FUTURE. time_ns: of the reading. timestamp_ms: of its record, 0 or less for
    none. newest_ns: of the newest reading of the window, 0 for FUTURE. ahead_ns: how far a reading may be ahead of its
    record's timestamp.
    """

    series: str
    outcome: str
    time_ns: int
    timestamp_ms: int
    newest_ns: int
    ahead_ns: int

    @classmethod
    def of(cls, series: SeriesWindow, outcome: str, time_ns: int, timestamp_ms: int) -> DroppedReading:
        """The reading that the series has just dropped."""
        assert series.grid is not None
        newest_ns = series.grid.start_ns(series.head) if outcome is TOO_OLD else 0
        return cls(series.name, outcome, time_ns, timestamp_ms, newest_ns, series.ahead_ns)


class DroppedReadings:
    """Logs one line for each input topic, and another one after some time if more readings were dropped."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """clock: monotonic, in seconds."""
        self._clock = clock
        self._counts: dict[str, int] = {}  # by topic, since its last line
        self._log_at_s: dict[str, float] = {}

    def add(self, topic: str, outcomes: Mapping[str, int], example: DroppedReading) -> None:
        """Count dropped readings of a topic, and log them with an example if a line is due."""
        count = self._counts.get(topic, 0) + outcomes.get(TOO_OLD, 0) + outcomes.get(FUTURE, 0)
        self._counts[topic] = count
        if count and self._clock() >= self._log_at_s.get(topic, float("-inf")):
            self._log_at_s[topic] = self._clock() + LOG_S
            self._counts[topic] = 0
            log.warning("%s: readings dropped because of their time: %d, %s", topic, count, describe(example))


def describe(dropped: DroppedReading) -> str:
    """Describe a dropped reading for the log: its time, why it was dropped, and what to do."""
    record_ns = dropped.timestamp_ms * _NS_PER_MS
    example = f"such as one of {clean(dropped.series, 200)!r} at {time_text(dropped.time_ns)}"
    if 0 < record_ns <= MAX_TIME_NS:
        example += f" in a record of {time_text(record_ns)}"
    elif dropped.timestamp_ms > 0:
        example += f" in a record whose timestamp, {dropped.timestamp_ms} ms, is after the year 2261"
    if dropped.outcome == FUTURE:
        return f"{example}: it is further ahead of its record than the window is long. Correct the producer's clock"
    example += f": it is before the window, whose newest reading is of {time_text(dropped.newest_ns)}."
    if 0 < record_ns < dropped.newest_ns - dropped.ahead_ns:
        return (
            f"{example} The newest one had a clock that was ahead: correct it. The series begins again after"
            f" {MAX_BEHIND} such records in a row"
        )
    return f"{example} Send old readings before new ones, or begin the series again with `fncast state reset`"
