"""Plays feeds at their pace and tells the windows that their readings make."""

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
    """Windows of all feeds as time passes, without end.

    since_s: the time of tick 0 on `clock`; a process that starts again with the same goes on where it should be by now.
    A feed that recalls has its first window at once.
    """
    players = [_Player(feed, window, every, since_s, clock()) for feed in feeds]
    while True:
        now_s = clock()
        for player in players:
            yield from player.catch_up(now_s)
        sleep(max(0.0, min(player.due_s for player in players) - clock()))


class _Player:
    """One feed with the sliding windows of its series."""

    def __init__(self, feed: Feed, window: int, every: int, since_s: float, now_s: float) -> None:
        self._feed = feed
        self._window, self._every = window, every
        self._since_s = since_s
        self._windows: dict[str, SlidingWindow] = {}
        # A recording is `window` ticks ahead, so that its first window is full at tick 0.
        self._ahead = window - 1 if feed.recalls else 0
        self._next = self._tick(now_s)

    @property
    def due_s(self) -> float:
        """When the next tick falls."""
        return self._since_s + self._next * self._feed.interval_s

    def catch_up(self, now_s: float) -> Iterator[SeriesWindow]:
        """The windows of every tick that is due. Only a feed that recalls can tell those that were missed."""
        tick = self._tick(now_s)
        if tick < self._next:
            return
        # After a long sleep (a suspended laptop) the older ticks are let go rather than told in one flood.
        first = max(self._next, tick - self._window + 1) if self._feed.recalls else tick
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
        # A tick that was slept for to its very time has come, whatever rounding makes of the division.
        return math.floor((now_s - self._since_s) / self._feed.interval_s + ROUNDING)
