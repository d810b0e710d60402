"""Alerts: thresholds that a series is expected to cross, opened and closed once with hysteresis."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from fncast.monitor.alerts.crossing import Crossing, crossing

# An alert opens once this many forecasts in a row have at least the rule's probability: a single one may overshoot.
OPEN_AFTER = 3
# A crossing far ahead must be forecast for this share of the steps until then, because consecutive forecasts overshoot
# together.
WAIT_SHARE = 0.125
# An alert closes once its probability is below CLOSE_SHARE of the rule's in CLOSE_AFTER forecasts in a row.
CLOSE_SHARE = 0.6
CLOSE_AFTER = 3


@dataclass(frozen=True)
class AlertRule:
    """A threshold in the unit of the series, and when its expected crossing opens an alert.

    series: a glob. above or below: the threshold; the other is None. within_s: how far ahead to look, 0 for the whole
    forecast. probability: the alert opens from this probability on. for_steps: how many steps the crossing lasts at
    least. destination: attribute of the alert's event; empty for none.
    """

    name: str
    series: str = "*"
    above: float | None = None
    below: float | None = None
    within_s: float = 0.0
    probability: float = 0.5
    for_steps: int = 1
    destination: str = ""

    @property
    def threshold(self) -> float:
        """The threshold. Exactly one of `above` and `below` is set."""
        return self.above if self.above is not None else self.below or 0.0

    def matches(self, series: str) -> bool:
        """Whether the rule applies to a series."""
        return fnmatch.fnmatchcase(series, self.series)

    def crossing(self, levels: Sequence[float], rows: Sequence[Sequence[float]], step_s: float) -> Crossing:
        """The crossing that a forecast predicts. rows: see `crossing`. step_s: seconds between two rows."""
        steps = self._steps(len(rows), step_s)
        return crossing(
            levels,
            rows[:steps],
            self.threshold,
            is_above=self.above is not None,
            for_steps=min(self.for_steps, steps),
            probability=self.probability,
        )

    def _steps(self, horizon: int, step_s: float) -> int:
        """How many steps of a forecast the rule looks at, at least one."""
        return min(horizon, max(1, int(self.within_s / step_s))) if self.within_s else horizon

    def limitation(self, horizon: int, step_s: float) -> str:
        """How a setting of the rule does not fit a forecast, and what is used instead. Empty if all fit."""
        if 0.0 < self.within_s < step_s:
            return (
                f"`within` is {self.within_s:g} s, shorter than a step of {step_s:g} s: the first step counts"
            )
        if self.within_s > horizon * step_s:
            return (
                f"`within` is {self.within_s:g} s, longer than the forecast: its {horizon * step_s:g} s count"
            )
        steps = self._steps(horizon, step_s)
        if self.for_steps > steps:
            return (
                f"`for_steps` is {self.for_steps}, more than the steps ahead that it looks at: {steps} count"
            )
        return ""


@dataclass(slots=True)
class AlertState:
    """The alert of one rule for one series.

    likely, calm: forecasts in a row whose probability is high, or low. expected_s: when the crossing is expected, in
    seconds since 1970: the mean over the likely forecasts in a row before the alert opens. None before the first such
    forecast, and once the alert closes without an expected crossing.
    """

    is_open: bool = False
    calm: int = 0
    likely: int = 0
    expected_s: float | None = None

    def update(self, rule: AlertRule, found: Crossing, start_s: float, step_s: float) -> str:
        """Take the next forecast's crossing. Returns "open" or "closed" if the state changes, else an empty string.

        start_s: time of the forecast's first step. step_s: seconds between two steps.
        """
        expected_s = None if found.step is None else start_s + found.step * step_s
        if not self.is_open:
            if expected_s is None or found.probability < rule.probability:
                self.likely = 0
                return ""
            self.likely += 1
            if self.likely == 1 or self.expected_s is None:
                self.expected_s = expected_s
            self.expected_s += (expected_s - self.expected_s) / self.likely
            if self.likely < max(OPEN_AFTER, WAIT_SHARE * (found.step or 0.0)):
                return ""
            self.expected_s = max(start_s, self.expected_s)
            self.is_open, self.calm, self.likely = True, 0, 0
            return "open"
        self.calm = self.calm + 1 if found.probability < CLOSE_SHARE * rule.probability else 0
        if self.calm < CLOSE_AFTER:
            return ""
        self.is_open, self.expected_s = False, expected_s
        return "closed"
