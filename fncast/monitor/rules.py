"""What the monitor does: its part of the settings, with globs and alert rules."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field

from fncast.monitor.alerts.alert import AlertRule
from fncast.monitor.anomalies.detector import DetectorSettings


@dataclass(frozen=True)
class MonitorRules:
    """What the monitor does. include, exclude: globs of series whose anomalies and bad forecasts are reported.

    accuracy_every_s: the longest time between two accuracy events of a series, by its readings. destination: of the
    events about anomalies and bad forecasts. silent_steps: a series is silent after this many steps without a reading;
    0 for never. max_series: further series of a partition are ignored and counted. worse_than_last_for: readings in a
    row that open an alert; 0 for never.
    """

    detector: DetectorSettings = field(default_factory=DetectorSettings)
    alerts: tuple[AlertRule, ...] = ()
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    accuracy_every_s: float = 3600.0
    accuracy_topic: str = "accuracy"
    alerts_topic: str = "alerts"
    destination: str = ""
    silent_steps: int = 0
    max_series: int = 200_000
    worse_than_last_for: int = 0

    def detects(self, series: str) -> bool:
        """Whether anomalies of a series are reported."""
        return any(fnmatch.fnmatchcase(series, glob) for glob in self.include) and not any(
            fnmatch.fnmatchcase(series, glob) for glob in self.exclude
        )

    def alerts_of(self, series: str) -> list[AlertRule]:
        """The alert rules that apply to a series."""
        return [rule for rule in self.alerts if rule.matches(series)]
