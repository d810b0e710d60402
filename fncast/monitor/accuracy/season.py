"""The seasonal naive forecast: the value at the same time of the day before."""

from __future__ import annotations

from fncast.series.step import Step

DAY_S = 86_400.0
# A season of more steps would need too many readings in memory.
MAX_SEASON = 48


def season_steps(step: Step) -> int:
    """The steps of a day; 0 if they are not a whole number from 2 to MAX_SEASON."""
    if step.period_s is None or DAY_S % step.period_s:
        return 0
    steps = int(DAY_S / step.period_s)
    return steps if 2 <= steps <= MAX_SEASON else 0
