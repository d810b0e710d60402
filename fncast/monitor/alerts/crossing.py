"""The probability that a series crosses a threshold, from the quantiles of its forecast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# A crossing is expected at the first step where its probability is at least this.
EXPECTED_FROM = 0.5


@dataclass(frozen=True)
class Crossing:
    """The crossing of a threshold that a forecast predicts.

    probability: that the threshold is crossed. step: when it is expected, in steps from the forecast's first one,
    interpolated; None if it is not expected.
    """

    probability: float
    step: float | None


def crossing(
    levels: Sequence[float],
    rows: Sequence[Sequence[float]],
    threshold: float,
    *,
    is_above: bool,
    for_steps: int,
    probability: float,
) -> Crossing:
    """The crossing within the steps of `rows`.

    levels: ascending. rows: for each step of the forecast its quantiles, in the unit of the series. for_steps: the
    series stays beyond the threshold for this many steps. probability: of the rule; the expected step uses the
    smaller one of it and EXPECTED_FROM.

    The steps are treated as fully dependent: a stretch is as likely as its least likely step, and the result is the
    probability of the most likely stretch. If one step is enough (for_steps = 1), that is a lower bound: an alert may
    come late, but rarely without cause.
    """
    beyond = [exceedance(levels, row, threshold, is_above=is_above) for row in rows]
    stretches = [min(beyond[at : at + for_steps]) for at in range(len(beyond) - for_steps + 1)]
    if not stretches:
        return Crossing(0.0, None)
    expected_from = min(EXPECTED_FROM, probability)
    first = next((at for at, found in enumerate(stretches) if found >= expected_from), None)
    if first is None:
        return Crossing(max(stretches), None)
    if first == 0:
        return Crossing(max(stretches), 0.0)
    before, after = stretches[first - 1], stretches[first]
    return Crossing(max(stretches), first - (after - expected_from) / (after - before))


def exceedance(
    levels: Sequence[float], quantiles: Sequence[float], threshold: float, *, is_above: bool
) -> float:
    """The probability that one step is beyond the threshold.

    Between two quantiles the distribution is uniform. Beyond the outer ones it is exponential, with the scale that
    their distance to the median implies.
    """
    if not is_above:
        levels = [1.0 - level for level in reversed(levels)]
        quantiles = [-quantile for quantile in reversed(quantiles)]
        threshold = -threshold
    if threshold < quantiles[0]:
        return 1.0 - levels[0] * _tail(quantiles[0] - threshold, _spread(levels, quantiles, 0))
    if threshold >= quantiles[-1]:
        tail = _tail(threshold - quantiles[-1], _spread(levels, quantiles, -1))
        return (1.0 - levels[-1]) * tail
    for at in range(len(levels) - 1):
        left, right = quantiles[at], quantiles[at + 1]
        if left <= threshold < right:
            share = (threshold - left) / (right - left)
            return 1.0 - (levels[at] + share * (levels[at + 1] - levels[at]))
    return 1.0 - levels[-1]


def _spread(levels: Sequence[float], quantiles: Sequence[float], outer: int) -> float:
    """The scale of the exponential tail beyond an outer quantile."""
    middle = min(range(len(levels)), key=lambda at: abs(levels[at] - 0.5))
    outside = levels[0] if outer == 0 else 1.0 - levels[-1]
    inside = levels[middle] if outer == 0 else 1.0 - levels[middle]
    distance = abs(quantiles[outer] - quantiles[middle])
    return distance / math.log(inside / outside) if inside > outside > 0.0 else distance


def _tail(distance: float, scale: float) -> float:
    return math.exp(-min(700.0, distance / scale)) if scale > 0.0 else (0.0 if distance > 0.0 else 1.0)
