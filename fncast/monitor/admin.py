"""The monitor's admin listener: the consumer's, GET /accuracy, and figures over all series."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric

from consumer.admin import Admin, Consumer
from fncast.monitor.judge import Judge
from fncast.monitor.output import accuracy_figures
from fncast.monitor.partition import MonitorPartition

MAX_LISTED = 1_000


class MonitorAdmin(Admin):
    """The ASGI application of the monitor's admin listener. Use it in the event loop of the judge."""

    def __init__(self, consumer: Consumer, judge: Judge) -> None:
        super().__init__(consumer)
        self._judge = judge

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """See Admin."""
        if path == "/accuracy":
            return 200, "application/json", orjson.dumps(accuracy_list(self._judge))
        return super().answer(path)


def accuracy_list(judge: Judge) -> dict[str, Any]:
    """The accuracy of each series and model, the worst skill first.

    Returns `series`, at most MAX_LISTED of them, and `left_out`, the number of the others.
    """
    found = []
    for assigned in list(judge.partitions.values()):
        for name, series in assigned.monitor.series.items():
            for model in series.joined.models:
                settled = series.joined.sums.get(model)
                skill = (settled or series.joined.accuracy(model)).total_figures()["skill"]
                found.append((skill is None, skill or 0.0, name, model, series.joined))
    found.sort(key=lambda each: each[:4])
    listed = []
    for _, _, name, model, joined in found[:MAX_LISTED]:
        accuracy = joined.accuracy(model)
        if accuracy.outcomes:
            listed.append({"series": name, "model": model, **accuracy_figures(accuracy)})
    return {"series": listed, "left_out": max(0, len(found) - MAX_LISTED)}


class MonitorCollector:
    """Prometheus figures over all series. No label holds a series' name."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    def collect(self) -> Iterable[Metric]:
        """The figures at the time of the scrape."""
        monitors = [assigned.monitor for assigned in list(self._judge.partitions.values())]
        skills: dict[str, list[float]] = {}
        coverages: dict[str, list[float]] = {}
        for model, figures in _day_figures(monitors):
            for found, name in ((skills, "skill"), (coverages, "coverage")):
                if (value := figures[name]) is not None:
                    found.setdefault(model, []).append(value)
        anomalies, alerts = open_counts(monitors)
        yield _by_model(
            "fncast_forecast_skill", "Median over series of 1 - MAE / MAE of the last value.", skills
        )
        yield _by_model(
            "fncast_coverage", "Median over series of the share of readings in the band.", coverages
        )
        yield GaugeMetricFamily("fncast_anomalies_open", "Series with an open anomaly.", anomalies)
        yield GaugeMetricFamily("fncast_alerts_open", "Open alerts.", alerts)
        known = sum(len(monitor.series) for monitor in monitors)
        yield GaugeMetricFamily("fncast_monitored_series", "Series that the monitor knows.", known)
        unusable = self._judge.unusable
        yield GaugeMetricFamily("fncast_monitor_unusable_events", "Events that could not be read.", unusable)
        untimely = sum(monitor.untimely for monitor in monitors)
        yield GaugeMetricFamily(
            "fncast_monitor_untimely_events",
            "Readings that came too late, and forecasts too late or too far ahead: they change nothing.",
            untimely,
        )


def open_counts(monitors: Sequence[MonitorPartition]) -> tuple[int, int]:
    """How many anomalies and how many alerts are open in all partitions."""
    every = [series for monitor in monitors for series in monitor.series.values()]
    anomalies = sum(series.is_watched and series.joined.detector.episode is not None for series in every)
    alerts = sum(alert.is_open for series in every for alert in series.alerts.values())
    return anomalies, alerts + sum(each.is_open for series in every for each in series.comparisons.values())


def register(judge: Judge) -> None:
    """Add the figures to /metrics."""
    REGISTRY.register(MonitorCollector(judge))


def _day_figures(monitors: Sequence[MonitorPartition]) -> Iterator[tuple[str, dict[str, float | None]]]:
    """The figures of the last day of each series and model, as far as they are settled."""
    for monitor in monitors:
        for series in monitor.series.values():
            for model, accuracy in series.joined.sums.items():
                yield model, accuracy.day_figures()


def _by_model(name: str, help_: str, values: dict[str, list[float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_, labels=["modelversion"])
    for model, found in values.items():
        family.add_metric([model], statistics.median(found))
    return family
