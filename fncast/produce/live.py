"""Plays feeds in real time and yields the windows of their readings."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence

from fncast.produce.reading import Feed
from fncast.produce.windows import SeriesWindow, SlidingWindow

ROUNDING = 1e-3  # of a tick


def live_windows(
    feeds: Sequence[Feed],
    *,
    window: int,
    every: int,
    since_s: float,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[SeriesWindow]:
    """Yield the windows of all feeds as time passes, without end.

    window: readings per window. every: readings between two windows. since_s: the time of tick 0 on `clock`, in
    seconds. A process restarted with the same value continues at the current tick. Recordings have a window at once.
    """
    players = [_FeedPlayer(feed, window, every, since_s, clock()) for feed in feeds]
    while True:
        now_s = clock()
        for player in players:
            yield from player.catch_up(now_s)
        sleep(max(0.0, min(player.due_s for player in players) - clock()))


class _FeedPlayer:
    """One feed and the sliding windows of its series."""

    def __init__(self, feed: Feed, window: int, every: int, since_s: float, now_s: float) -> None:
        self._feed = feed
        self._window, self._every = window, every
        self._since_s = since_s
        self._windows: dict[str, SlidingWindow] = {}
        # A recorded feed starts `window` readings earlier, so that its first window is full at tick 0.
        self._ahead = window - 1 if feed.is_recorded else 0
        self._next = self._tick(now_s)

    @property
    def due_s(self) -> float:
        """The time of the next tick."""
        return self._since_s + self._next * self._feed.interval_s

    def catch_up(self, now_s: float) -> Iterator[SeriesWindow]:
        """Yield the windows of all due ticks. Missed ticks are read only from a recorded feed."""
        tick = self._tick(now_s)
        if tick < self._next:
            return
        # After a long pause (a suspended laptop), skip older ticks instead of publishing them all at once.
        first = max(self._next, tick - self._window + 1) if self._feed.is_recorded else tick
        if not self._windows:
            first = tick - self._ahead
        for number in range(first, tick + 1):
            for reading in self._feed.read(number + self._ahead):
                sliding = self._windows.get(reading.series)
                if sliding is None:
                    sliding = self._windows[reading.series] = SlidingWindow(self._window, self._every)
                if (window := sliding.add(reading)) is not None:
                    yield window
        self._next = tick + 1

    def _tick(self, now_s: float) -> int:
        # Tolerate rounding errors: after a sleep until a tick's exact time, the tick is due.
        return math.floor((now_s - self._since_s) / self._feed.interval_s + ROUNDING)
