"""The delay from an input record to its answer."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Any, TypeVar

DELAY_WINDOW_S = 60.0
# An older timestamp does not say when the input was sent: the producer writes history, or its clock shows 1970.
MAX_DELAY_S = 30 * 86_400.0
# Delays to keep. Above 300 forecasts per second, percentiles cover less than the last minute.
MAX_DELAYS = 20_000
# Inputs without an answer, and answers without an input, to keep: one minute of them at 300 per second.
MAX_UNMATCHED = 20_000
# An event without an answer for this long is reported.
LATE_S = 10.0

V = TypeVar("V")
Key = tuple[str, str]  # the input's source and id
Partition = tuple[str, int]  # topic and number


@dataclass(frozen=True, slots=True)
class PendingInput:
    """An input that waits for its answer.

    timestamp_s: the record's, in seconds since 1970. last: the index of its last reading, None if it has no readings.
    partition, offset: of the record.
    """

    timestamp_s: float | None
    last: int | None
    destination: str = ""
    partition: Partition = ("", 0)
    offset: int = 0


class DelayTracker:
    """Matches answers with their inputs, in any order. Only live records count in the figures."""

    def __init__(self) -> None:
        self._inputs: OrderedDict[Key, PendingInput] = OrderedDict()
        # Live inputs without an answer, and when they were read.
        self._waiting: OrderedDict[Key, tuple[PendingInput, float]] = OrderedDict()
        # Answers that were read before their input → when they were written; None for a dead letter.
        self._early: OrderedDict[Key, float | None] = OrderedDict()
        # Pairs: when the answer was read, and its delay.
        self._delays: deque[tuple[float, float]] = deque(maxlen=MAX_DELAYS)
        # The last offset with an outcome. The consumer publishes in input order, so earlier records have theirs, too.
        self._settled: dict[Partition, int] = {}

    def add_input(self, key: Key, pending: PendingInput, now_s: float, is_live: bool = True) -> None:
        """Add an input event with the source and id in `key`."""
        _put(self._inputs, key, pending)
        if pending.offset < self._settled.get(pending.partition, 0):
            del self._settled[pending.partition]  # the topic was created again
        if key in self._early:
            answered_s = self._early.pop(key)
            self._settled[pending.partition] = pending.offset
            if is_live and answered_s is not None:
                self._add_delay(now_s, pending.timestamp_s, answered_s)
        elif is_live:
            _put(self._waiting, key, (pending, now_s))

    def add_answer(
        self, key: Key, timestamp_s: float | None, now_s: float, is_live: bool = True
    ) -> PendingInput | None:
        """Add an answer that names `key` as its cause. Returns the input if it was read before."""
        pending = self._inputs.get(key)
        # Only the first answer of an input has a delay, not one that is delivered again.
        was_waiting = self._settle(key)
        if pending is None:
            _put(self._early, key, timestamp_s)
        elif is_live and was_waiting and timestamp_s is not None:
            self._add_delay(now_s, pending.timestamp_s, timestamp_s)
        return pending

    def _add_delay(self, now_s: float, asked_s: float | None, answered_s: float) -> None:
        if asked_s is not None and answered_s - asked_s <= MAX_DELAY_S:
            self._delays.append((now_s, answered_s - asked_s))

    def add_dead_letter(self, key: Key) -> None:
        """Stop waiting for an answer: the input became a dead letter."""
        if not self._settle(key) and key not in self._inputs:
            _put(self._early, key, None)

    def waiting(self, now_s: float) -> int:
        """How many of the last MAX_UNMATCHED inputs have waited longer than LATE_S for an answer.

        An input does not wait if a later record of its partition has an outcome: its function published nothing.
        """
        count = 0
        for key, (pending, read_s) in list(self._waiting.items()):
            if now_s - read_s <= LATE_S:
                break
            if pending.offset < self._settled.get(pending.partition, 0):
                del self._waiting[key]
            else:
                count += 1
        return count

    def _settle(self, key: Key) -> bool:
        """Note that an input has its outcome. Returns whether it has waited for that."""
        pending, _ = self._waiting.pop(key, (None, 0.0))
        if pending is None:
            return False
        self._settled[pending.partition] = max(pending.offset, self._settled.get(pending.partition, 0))
        return True

    def as_json(self, now_s: float) -> dict[str, Any]:
        """Percentiles of the last minute's delays in seconds, None if there are none; and their count."""
        while self._delays and self._delays[0][0] < now_s - DELAY_WINDOW_S:
            self._delays.popleft()
        # A delay is negative where the clocks of two producers differ by more than the delay.
        delays = sorted(max(0.0, delay_s) for _, delay_s in self._delays)
        return {"p50_s": percentile(delays, 0.5), "p99_s": percentile(delays, 0.99), "count": len(delays)}


def percentile(ordered: list[float], share: float) -> float | None:
    """The percentile by nearest rank: the smallest value that at least `share` of the values do not exceed.

    ordered: ascending. share: 0 to 1. Returns None for an empty list.
    """
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def _put(table: OrderedDict[Key, V], key: Key, value: V) -> None:
    table[key] = value
    if len(table) > MAX_UNMATCHED:
        table.popitem(last=False)
