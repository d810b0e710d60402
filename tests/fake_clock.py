"""A clock that tests set."""

from __future__ import annotations


class FakeClock:
    """A monotonic clock. now_s: what it shows, in seconds."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s
