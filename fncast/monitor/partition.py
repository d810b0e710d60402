"""The series of one partition number: takes readings and forecasts, returns events to publish; no I/O but the log."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fncast.foreign_text import clean
from fncast.monitor.accuracy.comparison import Comparison
from fncast.monitor.accuracy.publication import Publication
from fncast.monitor.alerts.alert import AlertRule, AlertState
from fncast.monitor.anomalies.episode import Episode
from fncast.monitor.anomalies.silence import Silence
from fncast.monitor.joining.joined_series import JoinedSeries
from fncast.monitor.joining.packed_forecast import decoded_columns
from fncast.monitor.messages import ForecastMessage, NewestReading
from fncast.monitor.monitored_series import MonitoredSeries
from fncast.monitor.output import accuracy_event, alert_event, anomaly_event, worse_event
from fncast.monitor.rules import MonitorRules
from interceptor.outcome import OutputEvent

log = logging.getLogger("fncast.monitor")

MAX_NAME = 100  # characters of a series' name in a log line
# The kinds of notes of a partition.
NEW, READING, FORECASTED, SILENT = range(4)
# The pause between two searches for silent series.
LOOK_MS = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MonitorPartition:
    """The series of one partition number. changed: names of the series that changed since they were removed from it.

    notes: what changed, in order, for `replay`; the writer of the state clears them. rejected: how many new series
    were ignored because of `max_series`.
    """

    def __init__(self, rules: MonitorRules) -> None:
        self._rules = rules
        self.series: dict[str, MonitoredSeries] = {}
        self.changed: set[str] = set()
        self.notes: list[tuple[Any, ...]] = []
        self.rejected = 0
        self._looked_ms = -LOOK_MS
        self._limited: set[str] = set()  # rules that a log line has named

    def reading(self, reading: NewestReading, record_ms: int) -> list[OutputEvent]:
        """Take a reading. record_ms: the timestamp of its record. Returns the events to publish, in order."""
        series = self._series(reading.series, reading.time, reading.step)
        if series is None:
            return []
        index = series.joined.index(reading.time)
        self.notes.append((READING, series.name, index, reading.value, record_ms))
        return self._take_reading(series, index, reading.value, record_ms)

    def _take_reading(
        self, series: MonitoredSeries, index: int, value: float, record_ms: int
    ) -> list[OutputEvent]:
        events = []
        if not math.isnan(value) and series.silence.arrived(record_ms) and series.is_watched:
            events.append(self._silence_event(series, is_open=False))
        series.joined.add_reading(index, value)
        return events + self._judge(series)

    def tick(self, now_ms: int) -> list[OutputEvent]:
        """Find the series that are silent. now_ms: since 1970. Returns their events."""
        if now_ms < self._looked_ms + LOOK_MS:
            return []
        self._looked_ms = now_ms
        events: list[OutputEvent] = []
        steps, history = self._rules.silent_steps, self._rules.detector.min_history
        if not steps:
            return events
        for name, series in self.series.items():
            joined = series.joined
            step_ms = 1000.0 * (joined.time_s(1) - joined.anchor_s)
            if series.silence.begins(now_ms, step_ms, steps, history):
                self.changed.add(name)
                self.notes.append((SILENT, name))
                if series.is_watched:
                    events.append(self._silence_event(series, is_open=True))
        return events

    def _silence_event(self, series: MonitoredSeries, *, is_open: bool) -> OutputEvent:
        """The silence after the newest reading began or ended."""
        joined = series.joined
        last = joined.newest if joined.has_readings else 0
        at_s, value = joined.time_s(last), joined.readings[last]
        episode = Episode("silent", at_s, at_s, at_s, value, value, value, value, 1.0, 0)
        topic = self._rules.alerts_topic
        return anomaly_event(series.name, episode, at_s, is_open, topic, self._rules.destination)

    def forecast(self, message: ForecastMessage) -> list[OutputEvent]:
        """Take a forecast. Returns the events to publish, in order."""
        series = self._series(message.series, message.start, message.step)
        if series is None:
            return []
        start = series.joined.index(message.start)
        packed = series.joined.add_forecast(message.model, start, message.band)
        if packed is None:
            return []
        events = self._alert(series, message)
        alerts = series.alert_state() if series.rules else None
        self.notes.append((FORECASTED, series.name, message.model, start, *packed.encoded(), alerts))
        return events + self._judge(series)

    def replay(self, note: Sequence[Any]) -> None:
        """Apply a note again: a reading, a forecast or a silence. Publishes nothing.

        With at-least-once delivery, a series can be unknown after a kill between the commits of two topics: then the
        records that began it are read again.
        """
        kind, name, *content = note
        if kind == NEW:
            self.restore(name, *content)
        series = self.series.get(name)
        if series is None:
            log.warning("%s: what the monitor knew of this new series is lost", clean(name, MAX_NAME))
            return
        self.changed.add(name)
        if kind == READING:
            self._take_reading(series, *content)
        elif kind == FORECASTED:
            model, start, *encoded, alerts = content
            series.joined.add_forecast(model, start, decoded_columns(*encoded))
            if alerts:
                series.restore_alerts(alerts)
            self._judge(series)
        elif kind == SILENT:
            series.silence.is_open = True

    def restore(self, name: str, state: list[Any]) -> None:
        """Take over a series with the state that `MonitoredSeries.state` returned."""
        joined, alerts, published, silence, comparisons = state
        series = self._new(name, JoinedSeries.restored(joined))
        series.restore_alerts(alerts)
        series.published = {model: Publication(*each) for model, each in published.items()}
        series.silence = Silence(*silence)
        series.comparisons = {model: Comparison(*each) for model, each in comparisons.items()}
        self.series[name] = series

    def _series(self, name: str, moment: datetime, step: Any) -> MonitoredSeries | None:
        """The series; a new one if it is unknown, or if its step has changed. None if there is no room."""
        series = self.series.get(name)
        if series is None or (series.joined.step is not step and series.joined.step != step):
            if series is None and len(self.series) >= self._rules.max_series:
                self.rejected += 1
                return None
            series = self.series[name] = self._new(name, JoinedSeries(moment, step))
            self.notes.append((NEW, name, series.state()))
        self.changed.add(name)
        return series

    def _new(self, name: str, joined: JoinedSeries) -> MonitoredSeries:
        rules = [rule for rule in self._rules.alerts if rule.matches(name)]
        return MonitoredSeries(name, joined, self._rules.detects(name), rules)

    def _judge(self, series: MonitoredSeries) -> list[OutputEvent]:
        events = []
        for judged in series.joined.judge(self._rules.detector) if series.joined.waiting else ():
            episode = judged.judgement.changed
            if episode is not None and series.is_watched:
                is_open, rules = judged.judgement.is_anomaly, self._rules
                topic, destination = rules.alerts_topic, rules.destination
                events.append(anomaly_event(series.name, episode, judged.time_s, is_open, topic, destination))
        return events + self._publish_accuracy(series) + self._compare(series)

    def _publish_accuracy(self, series: MonitoredSeries) -> list[OutputEvent]:
        """The accuracy events that are due. A change of the accuracy is noticed once its outcomes are settled."""
        events: list[OutputEvent] = []
        joined, every_s, newest_s = series.joined, self._rules.accuracy_every_s, series.joined.newest_s
        if (
            not joined.has_settled
            and joined.forecasts.keys() <= series.published.keys()
            and all(newest_s < each.time_s + every_s for each in series.published.values())
        ):
            return events
        models = joined.models
        for model in models:
            publication = series.published.get(model)
            settled = joined.sums.get(model)
            if publication is not None:
                is_time = newest_s >= publication.time_s + every_s and joined.waits_for(model)
                if not is_time and not (
                    joined.has_settled and settled and publication.is_due(settled, every_s)
                ):
                    continue
            accuracy = joined.accuracy(model)
            if publication is None:
                if not accuracy.outcomes:
                    continue
                publication = series.published[model] = Publication(accuracy.since_s)
            if publication.is_due(accuracy, every_s):
                publication.publish(accuracy)
                events.append(accuracy_event(series.name, model, accuracy, self._rules.accuracy_topic))
        if len(series.published) > len(models):
            for model in series.published.keys() - set(models):
                del series.published[model]
        return events

    def _compare(self, series: MonitoredSeries) -> list[OutputEvent]:
        """The events of models that became worse than the last value, or no longer are."""
        wanted = self._rules.worse_than_last_for
        if not wanted or not series.is_watched:
            return []
        events = []
        topic, destination = self._rules.alerts_topic, self._rules.destination
        joined = series.joined
        found = {model: joined.accuracy(model) for model in joined.models}
        newest_s = max((each.newest_s for each in found.values()), default=0.0)
        for model, accuracy in found.items():
            comparison = series.comparisons.setdefault(model, Comparison())
            state = comparison.update(accuracy, wanted)
            if not state and accuracy.newest_s < newest_s and not joined.waits_for(model):
                state = comparison.end()
            if state:
                events.append(worse_event(series.name, model, accuracy, state, newest_s, topic, destination))
        for model in series.comparisons.keys() - found.keys():
            del series.comparisons[model]
        return events

    def _alert(self, series: MonitoredSeries, message: ForecastMessage) -> list[OutputEvent]:
        events: list[OutputEvent] = []
        if not series.rules:
            return events
        rows = message.rows
        start_s = (message.start - _EPOCH).total_seconds()
        step_s = (message.step.after(message.start, 1) - message.start).total_seconds()
        for rule in series.rules:
            self._report_limitation(rule, series.name, len(rows), step_s)
            found = rule.crossing(message.levels, rows, step_s)
            alert = series.alerts.setdefault(rule.name, AlertState())
            if alert.update(rule, found, start_s, step_s):
                topic, likely = self._rules.alerts_topic, found.probability
                events.append(alert_event(series.name, message.model, rule, alert, likely, start_s, topic))
        return events

    def _report_limitation(self, rule: AlertRule, series: str, horizon: int, step_s: float) -> None:
        """Log once that a rule cannot be applied as it says."""
        if rule.name in self._limited or not (limitation := rule.limitation(horizon, step_s)):
            return
        self._limited.add(rule.name)
        text = 'alert rule "%s", series "%s": %s. Correct the rule in [[alerts]]'
        log.warning(text, clean(rule.name, MAX_NAME), clean(series, MAX_NAME), limitation)
