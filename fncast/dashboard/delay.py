"""How much flows, and how long it takes: events a second, and the delay from record in to forecast out."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, TypeVar

RATE_WINDOW_S = 10  # long enough to be calm, short enough to follow
DELAY_WINDOW_S = 60.0
# Delays kept of the last minute: beyond 300 forecasts a second percentiles come from the newest of them.
MAX_DELAYS = 20_000
# Inputs remembered until their forecast comes, and the other way round: a minute's worth at 300 a second.
MAX_UNMATCHED = 20_000
# An event without an answer for so long is worth a word.
LATE_S = 10.0

V = TypeVar("V")
Key = tuple[str, str]  # the input's source and id


class RecordRate:
    """Records a second over the last RATE_WINDOW_S whole and partial seconds."""

    def __init__(self, now_s: float) -> None:
        self.total = 0
        self._since_s = now_s
        self._buckets: deque[tuple[int, int]] = deque()  # second, count

    def add(self, now_s: float, live: bool) -> None:
        """Count a record; one of the history counts in the total alone."""
        self.total += 1
        if not live:
            return
        second = math.floor(now_s)
        if self._buckets and self._buckets[-1][0] == second:
            self._buckets[-1] = second, self._buckets[-1][1] + 1
        else:
            self._buckets.append((second, 1))
            self._forget(now_s)

    def per_s(self, now_s: float) -> float:
        self._forget(now_s)
        seen_s = min(RATE_WINDOW_S, max(1.0, now_s - self._since_s))
        return sum(count for _, count in self._buckets) / seen_s

    def _forget(self, now_s: float) -> None:
        while self._buckets and self._buckets[0][0] <= now_s - RATE_WINDOW_S:
            self._buckets.popleft()


@dataclass(frozen=True, slots=True)
class PendingInput:
    """What is remembered of an input until its answer comes. last: the index of its last reading, if it has one."""

    timestamp_s: float | None
    last: int | None
    destination: str = ""


class DelayTracker:
    """Matches answers with their inputs, whichever is read first. Only what comes live counts in the figures."""

    def __init__(self) -> None:
        self._inputs: OrderedDict[Key, PendingInput] = OrderedDict()
        self._waiting: OrderedDict[Key, float] = OrderedDict()  # live inputs without an answer, when read
        # Answers read before their input: when they were written, None for what gives no delay.
        self._early: OrderedDict[Key, float | None] = OrderedDict()
        self._delays: deque[tuple[float, float]] = deque(maxlen=MAX_DELAYS)  # when read, delay

    def add_input(self, key: Key, one: PendingInput, now_s: float, live: bool = True) -> None:
        _put(self._inputs, key, one)
        if key in self._early:
            early = self._early.pop(key)
            if live and early is not None and one.timestamp_s is not None:
                self._delays.append((now_s, early - one.timestamp_s))
        elif live:
            _put(self._waiting, key, now_s)

    def add_answer(
        self, key: Key, timestamp_s: float | None, now_s: float, live: bool = True
    ) -> PendingInput | None:
        """Count an answer whose event names `key` as its cause. Returns the input, if it was read already."""
        one = self._inputs.get(key)
        waited = self._waiting.pop(key, None) is not None  # an answer delivered again has no delay of its own
        if one is None:
            _put(self._early, key, timestamp_s)
        elif live and waited and timestamp_s is not None and one.timestamp_s is not None:
            self._delays.append((now_s, timestamp_s - one.timestamp_s))
        return one

    def add_refusal(self, key: Key) -> None:
        """The input became a dead letter: it has its answer."""
        if self._waiting.pop(key, None) is None and key not in self._inputs:
            _put(self._early, key, None)

    def waiting(self, now_s: float) -> int:
        """How many of the last MAX_UNMATCHED inputs have been without an answer for LATE_S."""
        late = takewhile(lambda read_s: now_s - read_s > LATE_S, self._waiting.values())
        return sum(1 for _ in late)

    def as_json(self, now_s: float) -> dict[str, Any]:
        """Percentiles in seconds over the last minute, None where no forecast was matched; and of how many."""
        while self._delays and self._delays[0][0] < now_s - DELAY_WINDOW_S:
            self._delays.popleft()
        # Clocks of two producers may differ by more than the delay: below 0 means nothing else.
        delays = sorted(max(0.0, delay_s) for _, delay_s in self._delays)
        return {"p50_s": percentile(delays, 0.5), "p99_s": percentile(delays, 0.99), "count": len(delays)}


def percentile(ordered: list[float], share: float) -> float | None:
    """The smallest of `ordered` that at least `share` of it does not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def _put(table: OrderedDict[Key, V], key: Key, value: V) -> None:
    table[key] = value
    if len(table) > MAX_UNMATCHED:
        table.popitem(last=False)
