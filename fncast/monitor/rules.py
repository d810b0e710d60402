"""The rules of the monitor: which series and events it reports, and when."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field

from fncast.monitor.alerts.alert import AlertRule
from fncast.monitor.anomalies.detector import DetectorSettings


@dataclass(frozen=True)
class MonitorRules:
    """Which series and events the monitor reports, and when.

    include, exclude: globs of series whose anomalies and bad forecasts are reported; `exclude` prevails.
    accuracy_every_s: the longest time between two accuracy events of a series, by the times of its readings.
    destination: attribute of the events about anomalies and bad forecasts; empty for none. silent_steps: a series can
    be silent after this many steps without a reading; 0 for never. max_series: further series of a partition are
    ignored and counted. worse_than_last_for: an alert opens after this many readings in a row at which the forecasts
    are worse than the last value, and closes after as many at which they are not; 0 for never.
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
