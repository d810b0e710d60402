"""How unusual the figures of a series are among its own recent figures."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np

# Bins of the logarithm of a figure: from exp(LOWEST) on, each WIDTH wide.
BINS = 64
LOWEST = -5.0
WIDTH = 0.15
# After this many figures, older ones are counted less, and the tail is fitted again.
REFRESH = 32
# A figure counts half after this many others.
HALF_LIFE = 2_000
# Beyond this share of the figures, the probability is extrapolated.
TAIL_SHARE = 0.02
# The assumed mean excess over the beginning of the tail, in bins, and its weight as a number of figures.
PRIOR_EXCESS = 3.0
PRIOR_FIGURES = 5.0
MIN_EXCESS = 0.3  # bins

# What `_tails` holds about each figure: the weight of all its values, the bin where the tail begins, the log p-value
# there, and the rate at which it falls per bin.
_TOTAL, _BIN, _LOG_P, _RATE = range(4)
_MIDDLES = [bin_ + 0.5 for bin_ in range(BINS)]
_FADE = 0.5 ** (REFRESH / HALF_LIFE)
_TINY = 1e-12


def bin_position(figure: float) -> float:
    """The position of a figure, which is at least 0, in bins from LOWEST on. It can be outside of the bins."""
    return (math.log(figure + _TINY) - LOWEST) / WIDTH


class ErrorHistories:
    """The distributions of the figures of one series, in constant memory. Newer values count more.

    A value's p-value is conformal: (weight of the values that are at least as large + 1) / (weight of all + 1). The
    rank cannot resolve rare values, so the tail is an exponential distribution of the logarithm: its mean excess is
    fitted to the recent values (peaks over threshold).
    """

    __slots__ = ("_age", "_tails", "_weights")

    def __init__(self, count: int) -> None:
        """count: the number of figures."""
        self._age = 0
        self._weights = array("f", bytes(4 * BINS * count))  # figure by figure
        self._tails = array("d", (0.0, BINS, 0.0, 0.0) * count)

    def log_ps(self, positions: Iterable[float]) -> list[float]:
        """The natural logarithm of the p-value of each figure. positions: see `bin_position`."""
        weights, tails = self._weights, self._tails
        found = []
        tail = begin = 0
        for at in positions:
            if at <= 0.0:
                found.append(0.0)
            elif at >= tails[tail + _BIN]:
                found.append(tails[tail + _LOG_P] - (at - tails[tail + _BIN]) * tails[tail + _RATE])
            else:
                bin_ = int(at)
                larger = begin + bin_ + 1
                above = sum(weights[larger : begin + BINS]) + (bin_ + 1 - at) * weights[larger - 1]
                found.append(math.log((above + 1.0) / (tails[tail + _TOTAL] + 1.0)))
            tail += 4
            begin += BINS
        return found

    def add(self, positions: Iterable[float], weight: float = 1.0) -> None:
        """Count a value of each figure. positions: see `bin_position`."""
        weights, tails = self._weights, self._tails
        tail = begin = 0
        for at in positions:
            weights[begin + (0 if at <= 0.0 else BINS - 1 if at >= BINS else int(at))] += weight
            tails[tail + _TOTAL] += weight
            tail += 4
            begin += BINS
        self._age += 1
        if self._age >= REFRESH:
            self._refresh()

    def _refresh(self) -> None:
        """Let older values fade, and fit the tails."""
        self._age = 0
        every = np.frombuffer(self._weights, np.float32).reshape(-1, BINS)
        every[:] = every.astype(np.float64) * _FADE
        for number, weights in enumerate(every.tolist()):
            total = sum(weights)
            from_end = list(accumulate(reversed(weights)))
            bins = max(1, bisect_right(from_end, TAIL_SHARE * total))
            at, above = BINS - bins, from_end[bins - 1]
            excess = sum(map(mul, weights[at:], _MIDDLES))
            mean = (excess + PRIOR_FIGURES * PRIOR_EXCESS) / (above + PRIOR_FIGURES)
            log_p, rate = math.log((above + 1.0) / (total + 1.0)), 1.0 / max(mean, MIN_EXCESS)
            self._tails[4 * number : 4 * number + 4] = array("d", (total, at, log_p, rate))

    def state(self) -> list[list[Any]]:
        """The state of each figure as numbers and bytes, for `restored`."""
        found = []
        for number in range(len(self._tails) // 4):
            total, *tail = self._tails[4 * number : 4 * number + 4]
            weights = self._weights[number * BINS : (number + 1) * BINS].tobytes()
            found.append([total, self._age, *tail, weights])
        return found

    @classmethod
    def restored(cls, state: Sequence[Sequence[Any]]) -> ErrorHistories:
        """The histories with the state that `state` returned."""
        histories = cls(len(state))
        for number, (total, age, *tail, weights) in enumerate(state):
            histories._age = age
            histories._weights[number * BINS : (number + 1) * BINS] = array("f", weights)
            histories._tails[4 * number : 4 * number + 4] = array("d", (total, *tail))
        return histories
