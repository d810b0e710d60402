"""The circuit breaker of a route: tells an outage from a bad event; pure, the clock is passed in."""

from __future__ import annotations

from interceptor.event import Event

# Failures in a row that open a circuit. Splitting a batch around one bad event fails at most three times in a row
# (the halves are tried side by side), around three of them in 256 at most seven times.
OPEN_AFTER_FAILURES = 8


class Circuit:
    """Closed: calls are made. Open: they are not, until a probe with a known-good event has passed.

    successes: calls that succeeded since the start. known_good: the last event that got a forecast.
    opened_at_s: on the caller's clock, None while closed. reason: the last failure.
    """

    def __init__(self) -> None:
        self.successes = 0
        self.known_good: Event | None = None
        self.opened_at_s: float | None = None
        self.reason = ""
        self._failures = 0

    @property
    def is_open(self) -> bool:
        return self.opened_at_s is not None

    @property
    def failures(self) -> int:
        """Failures in a row."""
        return self._failures

    def succeeded(self, good: Event | None) -> None:
        """A call was answered sensibly; `good` is an event of it that got a forecast, if one did."""
        self.successes += 1
        self._failures = 0
        if good is not None:
            self.known_good = good

    def failed(self, reason: str, now_s: float, is_suspect: bool) -> bool:
        """A call failed. Returns True where this opens the circuit.

        is_suspect: the failure of a lone event that has used up its attempts. Whether it is poison or all are
        down, the probe will tell.
        """
        self._failures += 1
        self.reason = reason
        if self.is_open or (self._failures < OPEN_AFTER_FAILURES and not is_suspect):
            return False
        self.opened_at_s = now_s
        return True

    def close(self) -> None:
        """A probe passed, or it is time to try with what is there."""
        self.opened_at_s = None
        self._failures = 0
