"""Places windows without times: each is compared with the window before it."""

from __future__ import annotations

from collections.abc import Sequence

from fncast.dashboard.events.fields import Values


class UntimedWindows:
    """Remembers the last window without times."""

    def __init__(self) -> None:
        self._last: Values = []

    def place(self, window: Values, newest: int) -> int:
        """Return the index of the first value of the next window. newest: the index of the last reading so far."""
        added = count_new_values(self._last, window)
        self._last = window
        return newest + 1 + added - len(window)


def count_new_values(known: Sequence[float | None], window: Sequence[float | None]) -> int:
    """Count the new values at the end of `window`, for windows without times. `known` is the window before it.

    This is the shortest shift by which the two windows agree: len(window) if they do not overlap, and 0 if they are
    equal (a repeat). If all values are the same, the shift is 1.
    """
    size = len(window)
    if len(known) == size:
        for shift in range(1, size):
            if known[shift:] == window[: size - shift]:
                return shift
        if known == window:
            return 0
    return size
