"""A clock for feeds and rates."""

from __future__ import annotations


class Clock:
    """A clock that advances only during `sleep`. slept_s: the durations of all sleeps."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.slept_s: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept_s.append(seconds)
        self.now_s += seconds
