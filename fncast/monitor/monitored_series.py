"""One series of a partition, with its alerts and what was published about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fncast.monitor.accuracy.comparison import Comparison
from fncast.monitor.accuracy.publication import Publication
from fncast.monitor.alerts.alert import AlertRule, AlertState
from fncast.monitor.anomalies.silence import Silence
from fncast.monitor.joining.joined_series import JoinedSeries


@dataclass(slots=True)
class MonitoredSeries:
    """A series with its alerts by rule, and by model what was published and how it compares with the last value.

    is_watched: whether its anomalies and bad forecasts are reported. rules: those that apply to the series.
    """

    name: str
    joined: JoinedSeries
    is_watched: bool
    rules: list[AlertRule]
    alerts: dict[str, AlertState] = field(default_factory=dict)
    published: dict[str, Publication] = field(default_factory=dict)
    silence: Silence = field(default_factory=Silence)
    comparisons: dict[str, Comparison] = field(default_factory=dict)

    def state(self) -> list[Any]:
        """The state as numbers, strings and containers of them, for `restored`."""
        comparisons = {model: _values(each) for model, each in self.comparisons.items()}
        published = {model: _values(each) for model, each in self.published.items()}
        return [self.joined.state(), self.alert_state(), published, _values(self.silence), comparisons]

    @classmethod
    def restored(
        cls, name: str, is_watched: bool, rules: list[AlertRule], state: list[Any]
    ) -> MonitoredSeries:
        """The series with the state that `state` returned."""
        joined, alerts, published, silence, comparisons = state
        series = cls(name, JoinedSeries.restored(joined), is_watched, rules)
        series.restore_alerts(alerts)
        series.published = {model: Publication(*each) for model, each in published.items()}
        series.silence = Silence(*silence)
        series.comparisons = {model: Comparison(*each) for model, each in comparisons.items()}
        return series

    def alert_state(self) -> dict[str, list[Any]]:
        """The state of the alerts by rule."""
        return {
            name: [alert.is_open, alert.calm, alert.likely, alert.expected_s]
            for name, alert in self.alerts.items()
        }

    def restore_alerts(self, state: dict[str, list[Any]]) -> None:
        """Take over what `alert_state` returned."""
        self.alerts = {rule: AlertState(*alert) for rule, alert in state.items()}


def _values(record: Comparison | Publication | Silence) -> list[Any]:
    """The values of a dataclass with slots, in order."""
    return [getattr(record, name) for name in record.__slots__]
