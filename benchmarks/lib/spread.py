"""The median and range of repeated measurements."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Repeated measurements of a figure: low ≤ median ≤ high."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of at least one value."""
        return cls(min(values), statistics.median(values), max(values))

    def __str__(self) -> str:
        low, high = figure(self.low), figure(self.high)
        if low == high or math.isnan(self.median):
            return figure(self.median)
        return f"{figure(self.median)} [{low}-{high}]"


def figure(value: float) -> str:
    """Format with three digits, or all digits before the point: 34,812; 287; 28.7; 0.83. NaN is "not measured"."""
    if math.isnan(value):
        return "not measured"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def percentile(ascending: Sequence[float], share: float) -> float:
    """Return the first value that is above `share` (0 to 1) of the values; the largest for 1, NaN without values."""
    if not ascending:
        return float("nan")
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
