"""The median and the range of several measurements."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The median and the range of one figure: low ≤ median ≤ high."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of `values`, at least one."""
        return cls(min(values), statistics.median(values), max(values))

    def __str__(self) -> str:
        low, high = figure(self.low), figure(self.high)
        if low == high or math.isnan(self.median):
            return figure(self.median)
        return f"{figure(self.median)} [{low}-{high}]"


def figure(value: float) -> str:
    """The number with three digits, or with all digits before the point: 34,812; 287; 28.7; 0.83. NaN: not measured."""
    if math.isnan(value):
        return "not measured"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def percentile(ascending: Sequence[float], share: float) -> float:
    """The value at `share` (0 to 1) of ascending values, by nearest rank; NaN for none."""
    if not ascending:
        return float("nan")
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
