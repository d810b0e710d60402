"""The delay from an input record to its answer."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from itertools import takewhile
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


@dataclass(frozen=True, slots=True)
class PendingInput:
    """An input that waits for its answer.

    timestamp_s: the record's, in seconds since 1970. last: the index of its last reading, None if it has no readings.
    """

    timestamp_s: float | None
    last: int | None
    destination: str = ""


class DelayTracker:
    """Matches answers with their inputs, in any order. Only live records count in the figures."""

    def __init__(self) -> None:
        self._inputs: OrderedDict[Key, PendingInput] = OrderedDict()
        # Live inputs without an answer → when they were read.
        self._waiting: OrderedDict[Key, float] = OrderedDict()
        # Answers that were read before their input → when they were written; None for a dead letter.
        self._early: OrderedDict[Key, float | None] = OrderedDict()
        # Pairs: when the answer was read, and its delay.
        self._delays: deque[tuple[float, float]] = deque(maxlen=MAX_DELAYS)

    def add_input(self, key: Key, pending: PendingInput, now_s: float, live: bool = True) -> None:
        """Add an input event with the source and id in `key`."""
        _put(self._inputs, key, pending)
        if key in self._early:
            answered_s = self._early.pop(key)
            if live and answered_s is not None:
                self._add_delay(now_s, pending.timestamp_s, answered_s)
        elif live:
            _put(self._waiting, key, now_s)

    def add_answer(
        self, key: Key, timestamp_s: float | None, now_s: float, live: bool = True
    ) -> PendingInput | None:
        """Add an answer that names `key` as its cause. Returns the input if it was read before."""
        pending = self._inputs.get(key)
        # Only the first answer of an input has a delay, not one that is delivered again.
        was_waiting = self._waiting.pop(key, None) is not None
        if pending is None:
            _put(self._early, key, timestamp_s)
        elif live and was_waiting and timestamp_s is not None:
            self._add_delay(now_s, pending.timestamp_s, timestamp_s)
        return pending

    def _add_delay(self, now_s: float, asked_s: float | None, answered_s: float) -> None:
        if asked_s is not None and answered_s - asked_s <= MAX_DELAY_S:
            self._delays.append((now_s, answered_s - asked_s))

    def add_dead_letter(self, key: Key) -> None:
        """Stop waiting for an answer: the input became a dead letter."""
        if self._waiting.pop(key, None) is None and key not in self._inputs:
            _put(self._early, key, None)

    def waiting(self, now_s: float) -> int:
        """How many of the last MAX_UNMATCHED inputs have waited longer than LATE_S for an answer."""
        late = takewhile(lambda read_s: now_s - read_s > LATE_S, self._waiting.values())
        return sum(1 for _ in late)

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
