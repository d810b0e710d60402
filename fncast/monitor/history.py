"""How unusual a figure of a series is among its own recent figures."""

from __future__ import annotations

import math
from array import array
from typing import Any

# Bins of the logarithm of a figure: from exp(LOWEST) on, each WIDTH wide.
BINS = 64
LOWEST = -5.0
WIDTH = 0.15
# After so many figures, older ones are counted less, and the tail is fitted again.
REFRESH = 32
# A figure counts half after so many others.
HALF_LIFE = 2_000
# Beyond this share of the figures, the probability is extrapolated.
TAIL_SHARE = 0.02
# The assumed mean excess over the tail's begin, in bins, and how many figures this assumption weighs as much as.
PRIOR_EXCESS = 3.0
PRIOR_FIGURES = 5.0
LEAST_EXCESS = 0.3  # bins

_FADE = 0.5 ** (REFRESH / HALF_LIFE)
_TINY = 1e-12


class ErrorHistory:
    """The distribution of positive figures of one series, in constant memory. Newer figures count more.

    A figure's p-value is conformal: (weight of the figures that are at least as large + 1) / (weight of all + 1).
    The rank cannot resolve rare figures, so the tail is an exponential distribution of the logarithm: its mean excess
    is fitted to the recent figures (peaks over threshold).
    """

    __slots__ = ("_age", "_rate", "_tail_bin", "_tail_log_p", "_weights", "total")

    def __init__(self) -> None:
        self._weights = array("f", bytes(4 * BINS))
        self.total = 0.0
        self._age = 0
        self._tail_bin = float(BINS)
        self._tail_log_p = 0.0
        self._rate = 0.0

    def log_p(self, figure: float) -> float:
        """The natural logarithm of the p-value of `figure`, which is at least 0."""
        place = (math.log(figure + _TINY) - LOWEST) / WIDTH
        if place <= 0.0:
            return 0.0
        if place >= self._tail_bin:
            return self._tail_log_p - (place - self._tail_bin) * self._rate
        at = int(place)
        above = sum(self._weights[at + 1 :]) + (at + 1 - place) * self._weights[at]
        return math.log((above + 1.0) / (self.total + 1.0))

    def add(self, figure: float, weight: float = 1.0) -> None:
        """Count a figure, which is at least 0."""
        place = (math.log(figure + _TINY) - LOWEST) / WIDTH
        at = 0 if place <= 0.0 else BINS - 1 if place >= BINS else int(place)
        self._weights[at] += weight
        self.total += weight
        self._age += 1
        if self._age >= REFRESH:
            self._refresh()

    def _refresh(self) -> None:
        """Let older figures fade, and fit the tail."""
        self._age = 0
        weights = self._weights
        for at in range(BINS):
            weights[at] *= _FADE
        self.total = sum(weights)
        at, above = BINS - 1, weights[BINS - 1]
        while at > 0 and above + weights[at - 1] <= TAIL_SHARE * self.total:
            at -= 1
            above += weights[at]
        excess = sum(weights[bin_] * (bin_ + 0.5 - at) for bin_ in range(at, BINS))
        mean = (excess + PRIOR_FIGURES * PRIOR_EXCESS) / (above + PRIOR_FIGURES)
        self._tail_bin = float(at)
        self._tail_log_p = math.log((above + 1.0) / (self.total + 1.0))
        self._rate = 1.0 / max(mean, LEAST_EXCESS)

    def state(self) -> list[Any]:
        """The state as numbers and bytes, for `restored`."""
        numbers = [self.total, self._age, self._tail_bin, self._tail_log_p, self._rate]
        return [*numbers, self._weights.tobytes()]

    @classmethod
    def restored(cls, state: list[Any]) -> ErrorHistory:
        """The history with the state that `state` returned."""
        history = cls()
        history.total, history._age, history._tail_bin, history._tail_log_p, history._rate, weights = state
        history._weights = array("f", weights)
        return history
