"""The circuit breaker of a route: tells an outage from a bad event; pure, the clock is passed in."""

from __future__ import annotations

from collections import deque

from interceptor.delivery import Delivery

# Failures in a row that open a circuit. Splitting a batch around one bad event fails at most three times in a row
# (the halves are tried side by side), around three of them in 256 at most seven times.
OPEN_AFTER_FAILURES = 8
CALLS_REMEMBERED = 128


class Circuit:
    """Closed: calls are made. Open: they are not, until a probe with a known-good event has passed.

    successes: calls that succeeded since the start. known_good: the last event that got a forecast.
    opened_at_s: on the caller's clock, None while closed. reason: the last failure. outages: that have ended.
    slowest_s: of the last calls that succeeded.
    """

    def __init__(self) -> None:
        self.successes = 0
        self.known_good: Delivery | None = None
        self.opened_at_s: float | None = None
        self.reason = ""
        self.outages = 0
        self._failures = 0
        self._out_since_s: float | None = None
        self._took_s: deque[float] = deque(maxlen=CALLS_REMEMBERED)

    @property
    def slowest_s(self) -> float:
        return max(self._took_s, default=0.0)

    @property
    def is_open(self) -> bool:
        return self.opened_at_s is not None

    @property
    def is_out(self) -> bool:
        """Whether `out` was called and no call has succeeded since: an open circuit alone may be one bad event's."""
        return self._out_since_s is not None

    @property
    def failures(self) -> int:
        """Failures in a row."""
        return self._failures

    def succeeded(self, good: Delivery | None, took_s: float) -> float | None:
        """A call was answered sensibly; `good` is a delivery of it that got a forecast, if one did.

        Returns when the outage that this ends began, on the caller's clock, or None where there was none.
        """
        self.successes += 1
        self._failures = 0
        self._took_s.append(took_s)
        began_s, self._out_since_s = self._out_since_s, None
        self.outages += began_s is not None
        if good is not None:
            self.known_good = good
        return began_s

    def out(self) -> bool:
        """It is an outage, as a probe has shown, or the lack of one. Returns True where that is news."""
        is_news = self._out_since_s is None
        if is_news:
            self._out_since_s = self.opened_at_s
        return is_news

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
