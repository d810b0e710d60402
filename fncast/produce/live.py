"""Plays feeds in real time and yields their readings, or windows of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence

from fncast.produce.reading import Feed, Reading
from fncast.produce.windows import ProducedWindow, SlidingWindow

ROUNDING = 1e-3  # of a tick


def live_readings(
    feeds: Sequence[Feed],
    *,
    history: int,
    since_s: float,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Reading]:
    """Yield the readings of all feeds as time passes, without end.

    history: how many readings of a recording come at once at the start. since_s: see `live_windows`.
    """
    return (reading for _, reading in _play(feeds, history, since_s, clock, sleep))


def live_windows(
    feeds: Sequence[Feed],
    *,
    window: int,
    every: int,
    since_s: float,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[ProducedWindow]:
    """Yield the windows of all feeds as time passes, without end.

    window: readings per window. every: readings between two windows. since_s: the time of tick 0 on `clock`, in
    seconds. A process restarted with the same value continues at the current tick. The first window of a recording
    comes at once.
    """
    windows: dict[tuple[int, str], SlidingWindow] = {}
    for feed, reading in _play(feeds, window, since_s, clock, sleep):
        sliding = windows.get((feed, reading.series))
        if sliding is None:
            sliding = windows[feed, reading.series] = SlidingWindow(window, every)
        if (found := sliding.add(reading)) is not None:
            yield found


def _play(
    feeds: Sequence[Feed],
    history: int,
    since_s: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Iterator[tuple[int, Reading]]:
    """Yield readings with the index of their feed in `feeds`."""
    players = [_FeedPlayer(feed, history, since_s, clock()) for feed in feeds]
    while True:
        now_s = clock()
        for index, player in enumerate(players):
            for reading in player.catch_up(now_s):
                yield index, reading
        sleep(max(0.0, min(player.due_s for player in players) - clock()))


class _FeedPlayer:
    """Yields the readings of one feed when their ticks are due. See `live_windows` for since_s."""

    def __init__(self, feed: Feed, history: int, since_s: float, now_s: float) -> None:
        self._feed = feed
        self._history = history
        self._since_s = since_s
        self._has_started = False
        # A recorded feed starts `history` readings earlier, so that its first window is full at tick 0.
        self._ahead = history - 1 if feed.is_recorded else 0
        self._next = self._tick(now_s)

    @property
    def due_s(self) -> float:
        """The time of the next tick."""
        return self._since_s + self._next * self._feed.interval_s

    def catch_up(self, now_s: float) -> Iterator[Reading]:
        """Yield the readings of all due ticks. Missed ticks are read only from a recorded feed."""
        tick = self._tick(now_s)
        if tick < self._next:
            return
        # After a long pause (a suspended laptop), skip older ticks instead of publishing them all at once.
        first = max(self._next, tick - self._history + 1) if self._feed.is_recorded else tick
        if not self._has_started:
            first = tick - self._ahead
            self._has_started = True
        for number in range(first, tick + 1):
            yield from self._feed.read(number + self._ahead)
        self._next = tick + 1

    def _tick(self, now_s: float) -> int:
        # Tolerate rounding errors: after a sleep until a tick's exact time, the tick is due.
        return math.floor((now_s - self._since_s) / self._feed.interval_s + ROUNDING)
